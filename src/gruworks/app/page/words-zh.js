// The page in Chinese; the sentences of settings are in settings-zh.js.
export const zh = {
  skip: "跳到正文", views: "视图", theme: "明暗主题", working: "正在计算",
  tabForecast: "预测", tabWrite: "写作", tabTranslate: "翻译", tabListen: "听写", tabInside: "看内部",
  failed: "服务器未能完成这个请求。",
  noModel: "没有可用于此任务的模型。请在启动服务器时指定该任务的运行目录。",
  model: "模型", stop: "停止", more: "更多设置", interruptedModel: "这个模型的训练中断了，目前使用到中断为止的最佳权重。",

  fitSettings: "训练新模型", fitNew: "开始训练", cancel: "取消", fitting: "正在用 {name} 训练：第 {step} 步，共 {steps} 步", fittingLeft: "正在用 {name} 训练：第 {step} 步，共 {steps} 步，约剩 {left} 秒", fitted: "训练完成。新模型是 {model}。", cancelled: "训练已取消，结果没有保留。",
  "dropText generate": "把文本文件拖到这里，或点击选择", "dropText translate": "把句对文件拖到这里，或点击选择：每行一对，中间用制表符分隔",

  forecastTitle: "预测一张表", forecastAbout: "放入一张带日期和数值的表。预测附有校准过的预测区间，并在历史数据上与朴素预测比较。",
  dropTable: "把 CSV 文件拖到这里，或点击选择", useOwn: "预测模型自己的序列", useTable: "预测这张表",
  timeColumn: "时间", targetColumn: "数值", seriesColumn: "序列", none: "无", horizon: "预测步数",
  backtest: "用历史数据检验", fitNeedsTimes: "训练需要时间和数值：请选择时间列。",
  noModelButNaive: "不用模型：最佳朴素预测", fileName: "{name}", rowsRead: "{name}：{rows} 行", history: "历史", forecastLine: "预测", band: "{level} % 区间", shownSeries: "序列",
  emptyForecast: "请选择一张表，或预测模型自己的序列。", emptyTable: "这张表的预测会显示在这里。",
  answerNaive: "这是朴素预测（{naive}）：在各种朴素方法中，它在这张表的历史数据上误差最小。没有用这张表训练过模型。", naiveLine: "朴素预测：{naive}",
  skillNone: "{model} 不比朴素预测（{naive}）更好，因此只用后者。",
  skillSome: "网络的权重为 {weight} %，其余为{naive}。在验证集上，误差比朴素预测低 {gain} %。", skillSomeTable: "{model} 的权重为 {weight} %，其余为{naive}。在这张表的历史数据上，误差比单用{naive}低 {gain} %。",
  skillAll: "只用网络。在验证集上，误差比朴素预测（{naive}）低 {gain} %。", skillAllTable: "只用 {model}。在这张表的历史数据上，误差比{naive}低 {gain} %。",
  skillUnknown: "只用 {model}。这张表太短，无法测量它的误差，因此不作评价。", answerAutoregression: "数据行太少，无法训练网络；预测由差分上的自回归给出。", autoregression: "自回归",
  answerBaselines: "数据行太少，无法训练网络；预测由多种统计基线方法组合而成，权重取决于它们在这张表历史数据上的误差。", baselines: "统计基线",
  testTitle: "在未见过的数据上的误差", pastTitle: "在这张表的历史数据上的误差", thisAnswer: "{name}（本预测）", heldTitle: "在验证集上的误差", inNumbers: "数值", method: "预测方法", mae: "平均绝对误差", coverage: "80 % 区间的覆盖率", noTest: "未见过的数据太少，无法检验。",

  writeTitle: "续写文本", writeAbout: "模型逐个词元地生成文本。给它一个开头，或选一种近体诗的体式，它会遵守全部格律。",
  prompt: "开头", titleOf: "题目", form: "体式", free: "不限", writeGo: "写", emptyWrite: "生成的文本会显示在这里。",
  keepsRules: "合乎{form}的全部格律", breaksRules: "有 {count} 处出律", tookSeconds: "{seconds} 秒，种子 {seed}",

  translateTitle: "翻译句子", translateAbout: "用 GRU 编码器和解码器作束搜索。热图显示每个目标词元在原句上的注意力。",
  sentence: "句子", alternatives: "其他译文", translateGo: "翻译", emptyTranslate: "译文会显示在这里。", attention: "注意力", score: "得分 {score}",

  listenTitle: "语音转写", listenAbout: "说话，或选择一段录音。流式模型边听边写，用的就是训练所得的权重。",
  microphone: "打开麦克风", microphoneStop: "停止", dropAudio: "把录音拖到这里，或点击选择", emptyListen: "转写的文本会显示在这里。", noMicrophone: "无法使用麦克风：{why}", listening: "正在听……", others: "其他候选", heardNothing: "没有识别出语音。",

  insideTitle: "看内部", insideAbout: "每列是一个时间步，每行是一个单元。更新门表示状态有多少被替换，重置门表示前一状态有多少进入候选隐藏状态。",
  numbersOrText: "数字或文字", reader: "模型", trainedUnit: "在等差数列上训练过的 GRU", threeCells: "未训练的 RNN、LSTM 与 GRU", units: "隐藏层维度", insideGo: "显示", untrained: "隐藏层维度为 {units} 的 {cell}，未训练", firstUnit: "{model} 的第一个 GRU", emptyInside: "门和状态会显示在这里。",
  answerIs: "在 {numbers} 之后，它预测 {answer}。", memory: "各单元的记忆长度（步）", unit: "单元", step: "步", update: "更新门 z", reset: "重置门 r", candidate: "候选隐藏状态 h̃", hidden: "隐藏状态 h", cellState: "细胞状态 c", gateI: "输入门 i", gateF: "遗忘门 f", gateO: "输出门 o", gateG: "候选值 g",
  "named last value": "末值", "named climatology": "气候均值", "named drift": "漂移法", "named mean": "均值", "named climatology + AR": "气候均值加自回归", "named mean of the last": "最近 {number} 个值的均值", "named seasonal naive": "季节朴素法（{number} 步前的值）", "named autoregression alone": "自回归",

  "frequency s": "每秒", "frequency min": "每分钟", "frequency h": "每小时", "frequency D": "每日", "frequency B": "每个工作日", "frequency W": "每周", "frequency M": "每月", "frequency Q": "每季度", "frequency Y": "每年", "frequency steps": "无日期", "frequency open": "营业时间内", "frequency irregular": "不等间隔",
  "note missing-values": "表中缺 {count} 个值。", "note irregular": "时间间隔不固定。", "note other-frequency": "{model} 是用{own}的数据训练的，这张表是{table}的数据，因此它没有参与这次预测。",

  "error no-server": "服务器没有回应。它还在运行吗？", "error slow": "用时超过了服务器的上限。请减少要求，或稍后再试。", "error too-much": "内容超过了服务器一次能处理的上限。", "error value": "有一个值不能使用，请检查各项数字。", "error busy": "服务器正忙，请稍后再试。", "error fault": "服务器内部出错。",
  "error at csv": "这个文件不能作为表格读取。", "error at file": "这段录音无法解码。支持 wav、flac、ogg 和 mp3 格式。",
  "error no-file": "请选择用于训练的文件。", "error large-file": "文件太大：服务器最多接收 {most} MB。", "error not-text": "这个文件不是 UTF-8 文本。请另存为 UTF-8 编码，表格请存为 CSV。", "error fit-failed": "无法用这些数据训练模型。",
  "error empty-table": "文件是空的。表格的第一行是列名，之后每行一条数据。", "error unreadable-table": "这个文件不能作为表格读取：引号没有闭合，或者不是 CSV。", "error row-width": "表格第 {line} 行有 {count} 个值，第一行有 {head} 个。", "error same-names": "有两列同名：{names}。", "error too-many-columns": "表格超过 {most} 列，请删去不需要的列。", "error too-many-rows": "表格超过 {most} 行。",
  "error no-times": "没有一列能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。选“无”则各行按 1、2、3…… 编号。", "error no-numbers": "没有一列是数字。数字写作 1234.5。", "error same-column": "时间、数值和序列必须是不同的列。", "error no-column": "表中没有“{column}”这一列。", "error no-rows": "表格的第一行下面没有数据。",
  "error not-a-date": "第 {line} 行：“{value}”不是日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error not-dates": "这一列不能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error day-or-month": "日期既可能是日在前，也可能是月在前。请写作 2024-01-31。", "error not-a-row-number": "第 {line} 行：“{value}”不像其他行那样是整数。", "error time-twice": "第 {line} 行：时间 {time} 出现了两次。如果表中有多个序列，请在“序列”中选择它们的名称列。", "error out-of-rhythm": "第 {line} 行：{time} 与前面的 {before} 之间的间隔与其他行不同。请补上缺少的行。", "error two-frequencies": "序列 {one} 与 {other} 的时间间隔不同。请分成两张表预测。",
  "error series-missing": "第 {line} 行：序列没有名称。", "error too-few-values": "有一个序列只有 {count} 个值；预测至少需要 {least} 个。", "error not-a-number": "第 {line} 行：“{value}”不是数字。数字写作 1234.5。", "error too-large-number": "第 {line} 行：{value} 太大。", "error infinite": "第 {line} 行：值为无穷大。请把该格留空。", "error beyond-numbers": "这么多步之后，预测值超出了可表示的范围。请减少步数。",
  "error too-many-series": "表中有 {count} 个序列，一次最多预测 {most} 个。", "error horizon": "最多可预测 {most} 步。", "error needs-columns": "这个模型还需要表中没有的列：{columns}。",
};
