// The page in Chinese.
export const zh = {
  skip: "跳到正文", views: "视图", theme: "明暗", working: "正在计算",
  tabForecast: "预测", tabWrite: "写作", tabTranslate: "翻译", tabListen: "听写", tabInside: "看内部",
  noServer: "服务器没有回应。它还在运行吗？", failed: "服务器未能完成",
  noModel: "没有可用于此任务的模型。请用该任务的运行结果启动服务器。",
  model: "模型", stop: "停止", more: "更多设置", copyLink: "复制链接", copied: "已复制",

  forecastTitle: "接下来会怎样", forecastAbout: "放入一张带日期和数值的表。预测附有实测校准的区间，并与无需学习的朴素预测并列，同时说明它是否真有本事。",
  dropTable: "把 CSV 拖到这里，或点击选择", useOwn: "预测模型自己的序列", useTable: "预测这张表",
  timeColumn: "时间", targetColumn: "数值", seriesColumn: "序列", none: "无", horizon: "预测步数",
  backtest: "用过去检验", fitNew: "从这张表学习", fitSettings: "训练新模型", cancel: "取消", fitting: "学习中：第 {step} 步，共 {steps} 步", fitLeft: "，约剩 {left} 秒", fitted: "学好了。新模型是 {model}。", cancelled: "已取消，没有保留任何结果。",
  rowsRead: "{name}：{rows} 行", history: "实测", forecastLine: "预测", band: "{level} % 区间", shownSeries: "序列",
  emptyForecast: "选择一张表，或预测模型已知的序列。", skillNone: "不比朴素预测（{naive}）更好：由后者单独回答。", skillSome: "网络占 {weight} %，其余为 {naive}；在留出的数据上误差比朴素预测低 {gain} %。", skillAlone: "由网络单独回答。",
  testTitle: "在未见过的数据上", heldTitle: "在训练时留出的数据上", inNumbers: "数值", method: "预测方法", mae: "平均绝对误差", coverage: "80 % 区间命中", noTest: "未见过的数据太少，无法检验。",

  writeTitle: "接着写", writeAbout: "模型一个字一个字地写。给它一个开头，或选一种近体诗的体式，它会守住全部格律。",
  prompt: "开头", titleOf: "题目", form: "体式", free: "不限", temperature: "温度", length: "长度", seed: "种子（空则随机）", writeGo: "写", emptyWrite: "写出的文字会出现在这里。",
  keepsRules: "合乎{form}的全部格律", breaksRules: "有 {count} 处出律", tookSeconds: "{seconds} 秒，种子 {seed}",

  translateTitle: "换一种语言说", translateAbout: "GRU 编码器与解码器上的集束搜索。热图显示写出每个词块时看了原句的何处。",
  sentence: "句子", beam: "集束数", alternatives: "其他译法", translateGo: "翻译", emptyTranslate: "译文会出现在这里。", attention: "看了哪里", score: "得分 {score}",

  listenTitle: "把话写下来", listenAbout: "说话，或给一段录音。流式模型边听边写，用的就是训练所得的权重。",
  microphone: "打开麦克风", microphoneStop: "停止", dropAudio: "把录音拖到这里，或点击选择", emptyListen: "听到的话会出现在这里。", noMicrophone: "无法使用麦克风：{why}", listening: "正在听……", others: "也可能是", heardNothing: "没有听懂。", secondsLong: "{seconds} 秒",

  insideTitle: "看内部", insideAbout: "每列是一步，每行是一个单元。更新门表示状态有多少被替换，重置门表示新的候选值能看到多少过去。",
  numbersOrText: "数字或文字", reader: "由谁来读", trainedUnit: "在等差数列上训练过的 GRU", threeCells: "未训练的 RNN、LSTM 与 GRU", units: "单元数", insideGo: "看", untrained: "{units} 个单元的 {cell}，未训练", firstUnit: "{model} 的第一层单元", emptyInside: "门与状态会出现在这里。",
  answerIs: "在 {numbers} 之后，它预期 {answer}。", memory: "各单元的记忆（步）", unit: "单元", step: "步", update: "更新门 z", reset: "重置门 r", candidate: "候选值 h̃", hidden: "状态 h", cellState: "细胞状态 c", gateI: "输入门 i", gateF: "遗忘门 f", gateO: "输出门 o", gateG: "候选值 g",
  "named last value": "末值", "named climatology": "气候均值", "named drift": "漂移", "named mean of the last": "最近 {number} 个的均值", "named seasonal naive": "季节朴素（{number}）",
};
