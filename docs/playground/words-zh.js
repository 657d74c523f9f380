// The playground in Chinese.
export const zh = {
  skip: "跳到正文", views: "视图", theme: "浅色或深色",
  tabGates: "门控", tabForecast: "预测", tabVerse: "近体诗", tabDigits: "语音数字",
  local: "一切计算都在本浏览器中进行；输入的内容不会离开本机。",
  notBuilt: "模型尚未构建。请在项目中运行 make playground（需要编译器 zig），然后重新载入本页。",

  gatesTitle: "逐步观察 GRU 的门控", gatesAbout: "一个隐藏层大小为 8 的 GRU，在其他等差数列上训练，每步读入一个数。更新门决定单元状态被替换多少，重置门决定上一步状态有多少进入候选状态。",
  numbers: "数列", play: "播放", pause: "暂停", step: "下一步", back: "回到开头",
  gatesNote: "该 GRU 以五个数的数列训练；更长或别样的数列会显示它在何处不再泛化。点选单元格可查看其算式。",
  notNumbers: "请输入 2 到 12 个数，例如 1, 2, 3, 4, 5。", notYet: "尚未读入",
  beforeFirst: "读入第一个数之前，所有状态都是 0。", afterStep: "第 {step} 步：读入 {number} 后，预测值为 {answer}。", afterLast: "读入最后一个数 {number} 后，预测值为 {answer}。",
  update: "更新门 z", reset: "重置门 r", candidate: "候选状态 h̃", state: "隐藏状态 h", unitOf: "第 {unit} 个单元，第 {step} 步",

  forecastTitle: "预测未来 14 天", forecastAbout: "西雅图每日最高气温的现成模型，已编译为 WebAssembly，可用于它自己的序列或您的表格。每观测一个值，预测随之更新。",
  dropTable: "将 CSV 文件拖到这里，或点击选择", column: "列", useSeattle: "西雅图的序列", nextValue: "下一天的值", observe: "观测", undo: "撤销", observeNote: "缺失值请留空。",
  history: "历史", medianLine: "中位数", interval: "80 % 区间", chartOf: "{name} 的预测", nextDay: "{date}：中位数 {median}，80 % 区间 {low} 至 {high}",
  seattleAbout: "西雅图 2012 至 2015 年每日最高气温（°C）及其后 14 天。",
  seattleVerdict: "模型就是用这一序列训练的。留出最后一段重新训练时，它在该段上的平均绝对误差为 {mae} °C；最佳朴素方法（{naive}）为 {naiveMae} °C。",
  tableAbout: "{name}，{days} 天（缺失 {missing} 天）。模型只用西雅图的每日气温训练，没有见过这张表格。",
  tableSeen: "{name}，{days} 天（缺失 {missing} 天）。模型正是用这些日子训练的：在没有见过的日子里，误差比此处大。",
  modelBetter: "在这张表格的历史上，误差比最佳朴素方法（{rule}）低 {gain} %。共 {origins} 次 14 天预测；80 % 区间包含了 {coverage} % 的值。",
  naiveBetter: "在这张表格的历史上，误差不低于{rule}（高 {gain} %）：此处宜采用朴素方法，或用这张表格训练模型。共 {origins} 次 14 天预测；80 % 区间包含了 {coverage} % 的值。",
  tooShort: "表格太短，无法衡量预测误差，因此不评价其优劣。",
  method: "方法", mae: "平均绝对误差", "rule model": "本模型", "rule last value": "最后一个值", "rule mean of the last 14": "最近 14 天的平均值", "rule a year before": "364 天前的值", "rule climatology": "气候平均", "rule seasonal naive (7)": "一周前的值", "rule seasonal naive (365)": "一年前的值", "rule drift": "漂移法",
  fewRows: "表格需要一行列名和至少三行数据。", manyRows: "表格超过 {most} 行。", noDates: "没有可读作日期的列。日期请写作 2024-01-31。", noNumbers: "没有数值列。数值请写作 1234.5。",
  twice: "日期 {date} 出现了两次。请只给出一个序列。", notDaily: "数据不是每天一行。本模型只预测逐日数据。",

  verseTitle: "近体诗", verseAbout: "唐诗的现成模型逐字生成。在格律约束下，会破坏平仄或押韵的字概率为零。",
  form: "诗体", free: "自由文本", title: "题目", prompt: "开头", temperature: "温度", seed: "随机种子", write: "生成", stop: "停止",
  keepsRules: "约束解码保证完全符合{form}的格律。随机种子 {seed}。", wroteFree: "同一模型不加格律约束的文本。随机种子 {seed}。",

  digitsTitle: "语音数字", digitsAbout: "请说英语数字 zero 到 nine。现成模型边听边转写。",
  microphone: "打开麦克风", microphoneStop: "停止", useRecording: "转写示例录音", dropAudio: "将录音拖到这里，或点击选择", listening: "正在听……", emptyDigits: "转写结果显示在这里。",
  digitsNote: "训练数据只有六位男性在安静环境中的录音；换说话人或有噪声时错误率明显升高。此处用贪心 CTC 解码，没有 Python 包中的词表和束搜索。",
  took: "{seconds} 秒录音，用时 {took} 秒。", heardNothing: "没有识别出数字。", noMicrophone: "无法使用麦克风：{why}", noSound: "无法解码这段录音：{why}",
};
