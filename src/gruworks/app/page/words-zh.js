// The page in Chinese.
export const zh = {
  skip: "跳到正文", views: "视图", theme: "明暗", working: "正在计算",
  tabForecast: "预测", tabWrite: "写作", tabTranslate: "翻译", tabListen: "听写", tabInside: "看内部",
  failed: "服务器未能完成这个请求。",
  noModel: "没有可用于此任务的模型。请用该任务的运行结果启动服务器。",
  model: "模型", stop: "停止", more: "更多设置", copyLink: "复制链接", copied: "已复制",

  forecastTitle: "接下来会怎样", forecastAbout: "放入一张带日期和数值的表。预测附有实测校准的区间，并与无需学习的朴素预测并列，同时说明它是否真有本事。",
  dropTable: "把 CSV 拖到这里，或点击选择", useOwn: "预测模型自己的序列", useTable: "预测这张表",
  timeColumn: "时间", targetColumn: "数值", seriesColumn: "序列", none: "无", horizon: "预测步数",
  backtest: "用过去检验", fitNew: "从这张表学习", fitSettings: "训练新模型", cancel: "取消", fitting: "正在学习 {name}：第 {step} 步，共 {steps} 步", fittingLeft: "正在学习 {name}：第 {step} 步，共 {steps} 步，约剩 {left} 秒", fitted: "学好了。新模型是 {model}。", fitNeedsTimes: "训练需要时间和数值：请选择时间列。", cancelled: "已取消，没有保留任何结果。",
  noModelButNaive: "不用模型：最佳朴素预测", fileName: "{name}", rowsRead: "{name}：{rows} 行", history: "实测", forecastLine: "预测", band: "{level} % 区间", shownSeries: "序列",
  emptyForecast: "选择一张表，或预测模型已知的序列。", emptyTable: "这张表的预测会出现在这里。",
  answerNaive: "这是朴素预测（{naive}）：在不需要学习的方法中，它对这张表的过去误差最小。没有模型从这张表学习过。", naiveLine: "朴素预测：{naive}",
  skillNone: "{model} 不比朴素预测（{naive}）更好，因此只用后者。",
  skillSome: "网络占 {weight} %，其余为{naive}；在留出的数据上误差比朴素预测低 {gain} %。", skillSomeTable: "{model} 占 {weight} %，其余为{naive}：在这张表的过去，误差比单用{naive}低 {gain} %。",
  skillAll: "只用网络；在留出的数据上，误差比朴素预测（{naive}）低 {gain} %。", skillAllTable: "只用 {model}：在这张表的过去，误差比{naive}低 {gain} %。",
  skillUnknown: "只用 {model}。它在这里的好坏无法测量，因此不作评价。", answerAutoregression: "数据行太少，网络无法学习；预测由差分上的自回归给出。", autoregression: "自回归",
  testTitle: "在未见过的数据上", pastTitle: "在这张表的过去", thisAnswer: "{name}（本预测）", heldTitle: "在训练时留出的数据上", inNumbers: "数值", method: "预测方法", mae: "平均绝对误差", coverage: "80 % 区间命中", noTest: "未见过的数据太少，无法检验。",

  writeTitle: "接着写", writeAbout: "模型一个字一个字地写。给它一个开头，或选一种近体诗的体式，它会守住全部格律。",
  prompt: "开头", titleOf: "题目", form: "体式", free: "不限", temperature: "温度", length: "长度", seed: "种子（空则随机）", writeGo: "写", emptyWrite: "写出的文字会出现在这里。",
  keepsRules: "合乎{form}的全部格律", breaksRules: "有 {count} 处出律", tookSeconds: "{seconds} 秒，种子 {seed}",

  translateTitle: "换一种语言说", translateAbout: "GRU 编码器与解码器上的集束搜索。热图显示写出每个词块时看了原句的何处。",
  sentence: "句子", beam: "束宽", alternatives: "其他译法", translateGo: "翻译", emptyTranslate: "译文会出现在这里。", attention: "看了哪里", score: "得分 {score}",

  listenTitle: "把话写下来", listenAbout: "说话，或给一段录音。流式模型边听边写，用的就是训练所得的权重。",
  microphone: "打开麦克风", microphoneStop: "停止", dropAudio: "把录音拖到这里，或点击选择", emptyListen: "听到的话会出现在这里。", noMicrophone: "无法使用麦克风：{why}", listening: "正在听……", others: "也可能是", heardNothing: "没有听懂。", secondsLong: "{seconds} 秒",

  insideTitle: "看内部", insideAbout: "每列是一步，每行是一个单元。更新门表示状态有多少被替换，重置门表示新的候选值能看到多少过去。",
  numbersOrText: "数字或文字", reader: "由谁来读", trainedUnit: "在等差数列上训练过的 GRU", threeCells: "未训练的 RNN、LSTM 与 GRU", units: "单元数", insideGo: "看", untrained: "{units} 个单元的 {cell}，未训练", firstUnit: "{model} 的第一层单元", emptyInside: "门与状态会出现在这里。",
  answerIs: "在 {numbers} 之后，它预期 {answer}。", memory: "各单元的记忆（步）", unit: "单元", step: "步", update: "更新门 z", reset: "重置门 r", candidate: "候选值 h̃", hidden: "状态 h", cellState: "细胞状态 c", gateI: "输入门 i", gateF: "遗忘门 f", gateO: "输出门 o", gateG: "候选值 g",
  "named last value": "末值", "named climatology": "气候均值", "named drift": "漂移法", "named mean of the last": "最近 {number} 个值的均值", "named seasonal naive": "季节朴素法（{number} 步前的值）", "named highway alone": "自回归",

  "frequency s": "每秒", "frequency min": "每分钟", "frequency h": "每小时", "frequency D": "每日", "frequency B": "每个工作日", "frequency W": "每周", "frequency M": "每月", "frequency Q": "每季度", "frequency Y": "每年", "frequency steps": "无日期", "frequency irregular": "不等间隔",
  "note missing-values": "表中缺 {count} 个值。", "note irregular": "时间没有固定的间隔。", "note other-frequency": "{model} 是用{own}的数据训练的，这张表是{table}的数据，因此它没有参与这次预测。",

  "error no-server": "服务器没有回应。它还在运行吗？", "error slow": "用时超过了服务器的上限。请减少要求，或稍后再试。", "error too-much": "内容超过了服务器一次能处理的上限。", "error value": "有一个值不能使用，请检查各项数字。", "error busy": "服务器正忙，请稍后再试。", "error fault": "服务器内部出错。",
  "error at csv": "这个文件不能作为表格读取。", "error at file": "这不是可以读取的录音：支持 wav、flac、ogg 和 mp3。",
  "error large-file": "文件太大：服务器最多接收 {most} MB。", "error not-text": "这个文件不是 UTF-8 文本。请把表格另存为 UTF-8 编码的 CSV。", "error fit-failed": "无法从这张表学习，没有保留任何结果。",
  "error empty-table": "文件是空的。表格的第一行是列名，之后每行一条数据。", "error unreadable-table": "这个文件不能作为表格读取：引号没有闭合，或者不是 CSV。", "error row-width": "表格第 {line} 行有 {count} 个值，第一行有 {head} 个。", "error same-names": "有两列同名：{names}。", "error too-many-columns": "表格超过 {most} 列，请删去不需要的列。", "error too-many-rows": "表格超过 {most} 行。",
  "error no-times": "没有一列能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。选“无”则各行按 1、2、3…… 编号。", "error no-numbers": "没有一列是数字。数字写作 1234.5。", "error same-column": "时间、数值和序列必须是不同的列。", "error no-column": "表中没有“{column}”这一列。", "error no-rows": "表格的第一行下面没有数据。",
  "error not-a-date": "第 {line} 行：“{value}”不是日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error not-dates": "这一列不能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error not-a-row-number": "第 {line} 行：“{value}”不像其他行那样是整数。", "error time-zone": "时间带有时区 {zone}。请换算为 UTC，或去掉时区。", "error time-twice": "第 {line} 行：时间 {time} 出现了两次。如果表中有多个序列，请在“序列”中选择它们的名称列。", "error time-back": "第 {line} 行：时间 {time} 排在更晚的时间之后。请按时间从早到晚排序。", "error out-of-rhythm": "第 {line} 行：{time} 与前面的 {before} 之间的间隔与其他行不同。请补上缺少的行。", "error two-frequencies": "序列 {one} 与 {other} 的时间间隔不同。请分成两张表预测。",
  "error series-missing": "第 {line} 行：序列没有名称。", "error too-few-values": "有一个序列只有 {count} 个值；预测至少需要 {least} 个。", "error not-a-number": "第 {line} 行：“{value}”不是数字。数字写作 1234.5。", "error too-large-number": "第 {line} 行：{value} 太大。", "error infinite": "第 {line} 行：值为无穷大。请把该格留空。", "error beyond-numbers": "这么多步之后，预测超出了数的范围。请减少步数。",
  "error too-many-series": "表中有 {count} 个序列，一次最多预测 {most} 个。", "error horizon": "最多可预测 {most} 步。", "error needs-columns": "这个模型还要读表中没有的列：{columns}。",
};
