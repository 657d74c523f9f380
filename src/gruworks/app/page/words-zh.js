// The page in Chinese; the sentences of settings are in settings-zh.js.
export const zh = {
  skip: "跳到正文", views: "视图", theme: "明暗主题", working: "正在计算",
  tabForecast: "预测", tabWrite: "写作", tabTranslate: "翻译", tabListen: "听写", tabInside: "看内部",
  failed: "服务器未能完成这个请求。",
  noModel: "没有可用于此任务的模型。请在启动服务器时指定该任务的运行目录。",
  model: "模型", stop: "停止", more: "更多设置", interruptedModel: "这个模型的训练中断了，目前使用到中断为止的最佳权重。",

  cancel: "取消", fitted: "训练完成。新模型是 {model}。", cancelled: "训练已取消，结果没有保留。",
  "dropText generate": "把文本文件拖到这里，或点击选择", "dropText translate": "把句对文件拖到这里，或点击选择：每行一对，中间用制表符分隔", "dropText transcribe": "把录音及文本的 .zip 压缩包拖到这里，或点击选择",
  packRecordings: "把录音（wav、flac、ogg 或 mp3）放进一个文件夹，再放一张表 metadata.csv，列名为 audio（文件名）和 text（文本）；或为每段录音放一个同名的 .txt 文件。然后把文件夹压缩成 .zip。", notLive: "这个模型只能转写录音文件。要使用麦克风，请训练因果（流式）模型。",

  forecastTitle: "预测一张表",
  dropTable: "把 CSV 文件拖到这里，或点击选择", useOwn: "预测模型自己的序列", useTable: "预测这张表",
  timeColumn: "时间", targetColumn: "数值", seriesColumn: "序列", none: "无", horizon: "预测步数",
  fitNeedsTimes: "训练需要时间和数值：请选择时间列。",
  noModelButNaive: "最好的简单规则，不用模型", fileName: "{name}", rowsRead: "{name}：{rows} 行", history: "历史", forecastLine: "预测", band: "{level} % 区间", shownSeries: "序列",

  skillNone: "{model} 不比朴素预测（{naive}）更好，因此只用后者。",
  skillSome: "网络的权重为 {weight} %，其余为{naive}。在验证集上，误差比朴素预测低 {gain} %。", skillSomeTable: "{model} 的权重为 {weight} %，其余为{naive}。在这张表的历史数据上，误差比单用{naive}低 {gain} %。",
  skillAll: "只用网络。在验证集上，误差比朴素预测（{naive}）低 {gain} %。", skillAllTable: "只用 {model}。在这张表的历史数据上，误差比{naive}低 {gain} %。",
  skillUnknown: "只用 {model}。这张表太短，无法测量它的误差，因此不作评价。", answerAutoregression: "数据行太少，无法训练网络；预测由差分上的自回归给出。", autoregression: "自回归",
  answerBaselines: "数据行太少，无法训练网络；预测由多种统计基线方法组合而成，权重取决于它们在这张表历史数据上的误差。", baselines: "统计基线",
  testTitle: "在未见过的数据上的误差", pastTitle: "在这张表的历史数据上的误差", thisAnswer: "{name}（本预测）", heldTitle: "在验证集上的误差", inNumbers: "数值", method: "预测方法", mae: "平均绝对误差", coverage: "80 % 区间的覆盖率", noTest: "未见过的数据太少，无法检验。",

  writeTitle: "续写文本", writeAbout: "模型逐个词元地生成文本。给它一个开头，或选一种近体诗的体式，它会遵守全部格律。",
  prompt: "开头", titleOf: "题目", free: "不限", writeGo: "写", emptyWrite: "生成的文本会显示在这里。",
  keepsRules: "合乎{form}的全部格律", breaksRules: "有 {count} 处出律", tookSeconds: "{seconds} 秒，种子 {seed}",

  translateTitle: "翻译句子", translateAbout: "用 GRU 编码器和解码器作束搜索。热图显示每个目标词元在原句上的注意力。",
  sentence: "句子", alternatives: "其他译文", translateGo: "翻译", emptyTranslate: "译文会显示在这里。", attention: "注意力", score: "得分 {score}",

  listenTitle: "语音转写",
  microphone: "打开麦克风", microphoneStop: "停止", dropAudio: "把录音拖到这里，或点击选择", emptyListen: "转写的文本会显示在这里。", noMicrophone: "无法使用麦克风：{why}", listening: "正在听……", others: "其他候选", heardNothing: "没有识别出语音。",

  insideTitle: "看内部",
  numbersOrText: "数字或文字", reader: "模型", threeCells: "未训练的 RNN、LSTM 与 GRU", units: "隐藏层维度", insideGo: "显示", untrained: "隐藏层维度为 {units} 的 {cell}，未训练", firstUnit: "{model} 的第一个 GRU", emptyInside: "门和状态会显示在这里。",
  answerIs: "在 {numbers} 之后，它预测 {answer}。", unit: "单元", step: "步", update: "更新门 z", reset: "重置门 r", candidate: "候选隐藏状态 h̃", hidden: "隐藏状态 h", cellState: "细胞状态 c", gateI: "输入门 i", gateF: "遗忘门 f", gateO: "输出门 o", gateG: "候选值 g",

  "frequency s": "每秒", "frequency min": "每分钟", "frequency h": "每小时", "frequency D": "每日", "frequency B": "每个工作日", "frequency W": "每周", "frequency M": "每月", "frequency Q": "每季度", "frequency Y": "每年", "frequency steps": "无日期", "frequency open": "仅营业日", "frequency irregular": "不等间隔",
  "note missing-values": "表中缺 {count} 个值。", "note irregular": "时间间隔不固定。", "note other-frequency": "{model} 是用{own}的数据训练的，这张表是{table}的数据，因此它没有参与这次预测。",

  "error no-server": "服务器没有回应。它还在运行吗？", "error slow": "用时超过了服务器的上限。请减少要求，或稍后再试。", "error too-much": "内容超过了服务器一次能处理的上限。", "error value": "有一个值不能使用，请检查各项数字。", "error busy": "服务器正忙，请稍后再试。", "error fault": "服务器内部出错。",
  "error at csv": "这个文件不能作为表格读取。", "error at file": "这段录音无法解码。支持 wav、flac、ogg 和 mp3 格式。",
  "error no-file": "请选择用于训练的文件。", "error large-file": "文件太大：服务器最多接收 {most} MB。", "error not-text": "这个文件不是 UTF-8 文本。请另存为 UTF-8 编码，表格请存为 CSV。", "error fit-failed": "无法用这些数据训练模型。",
  "error empty-table": "文件是空的。表格的第一行是列名，之后每行一条数据。", "error unreadable-table": "这个文件不能作为表格读取：引号没有闭合，或者不是 CSV。", "error row-width": "表格第 {line} 行有 {count} 个值，第一行有 {head} 个。", "error same-names": "有两列同名：{names}。", "error too-many-columns": "表格超过 {most} 列，请删去不需要的列。", "error too-many-rows": "表格超过 {most} 行。",
  "error no-times": "没有一列能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。选“无”则各行按 1、2、3…… 编号。", "error no-numbers": "没有一列是数字。数字写作 1234.5。", "error same-column": "时间、数值和序列必须是不同的列。", "error no-column": "表中没有“{column}”这一列。", "error no-rows": "表格的第一行下面没有数据。",
  "error not-a-date": "第 {line} 行：“{value}”不是日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error not-dates": "这一列不能读作日期。日期写作 2024-01-31，可带时间：2024-01-31 13:45。", "error day-or-month": "日期既可能是日在前，也可能是月在前。请写作 2024-01-31。", "error not-a-row-number": "第 {line} 行：“{value}”不像其他行那样是整数。", "error time-twice": "第 {line} 行：时间 {time} 出现了两次。如果表中有多个序列，请在“序列”中选择它们的名称列；若一天或一个月有多行，请在“按时段合并各行”中选择时段。", "error out-of-rhythm": "第 {line} 行：{time} 与前面的 {before} 之间的间隔与其他行不同。请补上缺少的行。", "error two-frequencies": "序列 {one} 与 {other} 的时间间隔不同。请分成两张表预测。",
  "error series-missing": "第 {line} 行：序列没有名称。", "error too-few-values": "有一个序列只有 {count} 个值；预测至少需要 {least} 个。", "error not-a-number": "第 {line} 行：“{value}”不是数字。数字写作 1234.5。", "error too-large-number": "第 {line} 行：{value} 太大。", "error infinite": "第 {line} 行：值为无穷大。请把该格留空。", "error beyond-numbers": "这么多步之后，预测值超出了可表示的范围。请减少步数。",
  "error too-many-series": "表中有 {count} 个序列，一次最多预测 {most} 个。", "error horizon": "最多可预测 {most} 步。", "error needs-columns": "这个模型还需要表中没有的列：{columns}。",

  tabStart: "开始", startTitle: "一步一步阅读的网络", startAbout: "门控循环单元（GRU）带有一小块记忆。每读一步，两个门决定：记忆中有多少被刚读到的内容替换，旧记忆又有多少参与其中。",
  startStep: "读入 {input}，记忆平均替换了 {replaced} %。", startEnd: "读完 {numbers}，记忆里已有所需的信息：下一个数是 {answer}。", memoryOf: "它的记忆：八个单元，每步一列", startNote: "这个 GRU 是刚才训练的，训练数据是另外一些等差数列，没有见过您的数。红色为正，蓝色为负。", ownNumbers: "换成您的数（3 到 12 个）",
  "door forecast": "您的表接下来会怎样，通常会差多少", "door write": "写一首合格律的近体诗，或学习您自己的文本", "door translate": "日常英语译成中文，或学习您自己的句对", "door listen": "边说边识别英语数字", "door inside": "逐步观察 RNN、LSTM 与 GRU 的门和记忆",
  every: "按时段合并各行", "every row": "不合并", "every hour": "每小时", "every day": "每天", "every week": "每周", "every month": "每月", "every quarter": "每季度", "every year": "每年",
  combine: "合并为", "combine sum": "总和", "combine mean": "平均值", "combine count": "行数", "combine min": "最小值", "combine max": "最大值", "combine last": "最后一个值",
  examples: "示例：", exampleShop: "商店销售额", exampleStocks: "股价", exampleWeather: "天气", exampleAutumn: "秋夜", exampleAcrostic: "藏头诗", exampleFree: "自由续写", "sentence station": "车站", "sentence hungry": "饿了", "sentence lines": "三行", exampleDigits: "数字", exampleVowels: "一段录音（元音，不是数字）", exampleNumbers: "1, 2, 3, 4, 5", exampleCells: "RNN、LSTM、GRU", examplePoem: "一句诗", exampleSentence: "一个句子", "sample poems": "十六首诗", "sample pairs": "1200 个句对", "sample recordings": "240 段元音录音",
  copyText: "复制", copyLink: "复制链接", saveCsv: "CSV", savePng: "PNG", saveText: "文本文件", saveRecording: "录音", saveModel: "模型", overHttp: "用 HTTP 完成同样的请求", copied: "已复制。", saved: "已保存。", notCopied: "浏览器不允许这个操作。",

  forecastAbout: "放入一张带日期和数值的表。系统用它训练模型，在最后几个月上检验，并与最好的简单规则比较。", emptyForecast: "请选择一张表或一个示例，或预测模型自己的序列。", method: "预测方式", methodFit: "用这张表训练新模型", fitTable: "训练并预测", details: "详细说明", moreLines: "其他简单规则", chartOf: "{name} 的历史与预测", noFits: "这台服务器没有开放训练。用 gruworks serve --allow-fit 启动后即可训练。",
  previewTitle: "读到的表", previewOne: "共 {rows} 行，{frequency}数据，从 {first} 到 {last}", previewMany: "共 {rows} 行，{frequency}数据，从 {first} 到 {last}，有 {count} 个序列（{names}）",
  plainPast: "在这张表最后{span}里，这种预测平均偏差 {ours}；最好的简单规则（{rule}）平均偏差 {best}。", plainHeld: "在模型没有学过的最后{span}里，预测平均偏差 {ours}；最好的简单规则（{rule}）平均偏差 {best}。", plainRule: "这是最适合这张表的简单规则：{rule}。在最后{span}里，它平均偏差 {ours}。", plainBetter: "用模型是值得的。", plainWorse: "简单规则一样好。", plainNone: "{model} 不比简单规则更好。", plainRuleUnknown: "这是一条简单规则：{rule}。表太短，无法得知它通常偏差多少。", plainUnknown: "这张表太短，无法判断预测通常会差多少。",
  answerNaive: "在各种简单规则中，{naive}在这张表的历史数据上误差最小。没有用这张表训练过模型。",
  fitSettings: "训练设置", fitNew: "开始学习", fitStarts: "正在准备学习 {name}……", fitWaits: "另一个训练正在进行，接下来就轮到这个。", fitting: "正在学习 {name}：第 {step} 步，共 {steps} 步", fittingLeft: "正在学习 {name}：第 {step} 步，最多 {steps} 步，最多还需 {left}", learningCurve: "学习曲线", lossTraining: "训练损失", lossValidation: "验证损失", writesByNow: "学了 {step} 步之后，它这样写：", characters: "{count} 个字符", "learn generate": "学习我的文本", "learn translate": "学习我的句对", "learn transcribe": "学习我的录音",
  "rule last value": "沿用最后一个值", "rule drift": "首末两值的连线", "rule mean": "全部数值的平均", "rule climatology": "同一时节的常年值", "rule climatology + AR(1)": "同一时节的常年值加上最近偏差的一部分", "rule mean of the last": "最近 {number} 个值的平均", "rule seasonal naive": "{number} 行之前的值", "rule day": "前一天的值", "rule week": "上一周的值", "rule year": "上一年的值", "rule autoregression alone": "自回归", "rule statistical baselines": "统计基线", "rule GRU": "GRU",
  "span second": " {count} 秒", "span minute": " {count} 分钟", "span hour": " {count} 小时", "span day": " {count} 天", "span business-day": " {count} 个工作日", "span opening-day": " {count} 个营业日", "span week": " {count} 周", "span month": " {count} 个月", "span quarter": " {count} 个季度", "span year": " {count} 年", "span row": " {count} 行",
  "span second one": "一秒", "span minute one": "一分钟", "span hour one": "一小时", "span day one": "一天", "span business-day one": "一个工作日", "span opening-day one": "一个营业日", "span week one": "一周", "span month one": "一个月", "span quarter one": "一个季度", "span year one": "一年", "span row one": "一行",
  "note date-form": "日期按 {form} 读取。", "note decimal-comma": "逗号按小数点读取。", "note other-language": "这像是{found}，而模型只学过{wanted}，结果不可信。", "note not-this-language": "这不是{wanted}，而模型只学过{wanted}，结果不可信。",
  "language en": "英语", "language de": "德语", "language fr": "法语", "language es": "西班牙语", "language it": "意大利语", "language nl": "荷兰语", "language pt": "葡萄牙语", "language zh": "中文", "language ja": "日语", "language ko": "韩语", "language ru": "俄语", "language ar": "阿拉伯语", "language el": "希腊语",

  form: "体式", "form jueju5": "五绝（四句，每句五字）", "form jueju7": "七绝（四句，每句七字）", "form lushi5": "五律（八句，每句五字）", "form lushi7": "七律（八句，每句七字）", rules: "藏头、韵部、格式与字形", acrostic: "藏头：各句的首字", rhyme: "韵部", anyRhyme: "不限", pattern: "平仄格式", "pattern any": "不限", "pattern level": "平起，首句不入韵", "pattern level-rhymed": "平起，首句入韵", "pattern oblique": "仄起，首句不入韵", "pattern oblique-rhymed": "仄起，首句入韵", script: "字形", scriptLearnt: "与训练数据相同", scriptSimplified: "简体", scriptTraditional: "繁体", unknownSigns: "模型不认识 {signs}",
  candidatesAndAttention: "候选译文与注意力", rareWord: "模型几乎没有见过“{word}”，译文只是猜测。",
  listenAbout: "说话，或选择一段录音。流式模型边听边写。随附的模型只认识十个英语数字。", player: "录音", noDigits: "这不像模型认识的内容。它只认识：{words}。",
  insideAbout: "每列是一步，每行是一个单元。更新门表示记忆有多少被替换，重置门表示旧记忆有多少进入候选。点选一格或一步，即可看到算式。",
  trainedUnit: "在等差数列上训练过的 GRU", trainedCells: "在等差数列上训练过的 RNN、LSTM 与 GRU", trainedOn: "在等差数列上训练过的 {cell}", stepOf: "第 {step} 步", stepCount: "第 {step} 步，共 {steps} 步", play: "播放", stepBack: "后退一步", stepOn: "前进一步", unitNumber: "单元", order: "单元的顺序", orderOwn: "原有顺序", orderMemory: "按记忆长度", orderState: "按状态均值", zoom: "放大", memory: "各单元的记忆长度（步）",
  "error few-numbers": "请填 3 到 12 个数，例如 1, 2, 3, 4, 5。", "error empty-input": "输入框是空的：请写数字或文字，或点一个示例。", "error no-sentence": "输入框是空的：请写一个句子，或点一个示例。", "error no-pairs": "文件里没有句对：每行应是一个句子、一个制表符和它的译文。", "error short-text": "文本太短，学不到东西：至少要 {least} 个字符，一万个以上更好。", "error acrostic-length": "这种体式的藏头要 {lines} 个字，现在是 {count} 个。", "error acrostic-unknown": "模型不认识“{sign}”字，请换一个。", "error verse-impossible": "用模型认识的字写不出合乎全部要求的诗。请换一个韵部或格式。", "error unknown-rhyme": "没有这个平声韵部。", "error unknown-signs": "模型没有见过 {signs}。请去掉，或让模型学习含有它的文本。", "error workbook": "这是工作簿或压缩文件。请先把工作表另存为 CSV。",
  "error not-an-archive": "这不是可以读取的 .zip 压缩包。请把文件夹压缩成 .zip，不要设密码。", "error archive-path": "压缩包里有无法解压的路径：{name}。请重新压缩文件夹，文件名要简短且互不相同。", "error archive-link": "压缩包里的 {name} 是链接，请放入文件本身。", "error archive-files": "压缩包里有 {count} 个文件，服务器最多接收 {most} 个。", "error archive-size": "压缩包解压后超过服务器接收的上限 {most} MB。", "error no-recordings": "压缩包里没有录音。支持 wav、flac、ogg 和 mp3 格式；其他格式（如手机的 m4a）请先转换。", "error no-transcripts": "压缩包里没有文本。请加入一张表 metadata.csv，列名为 audio（文件名）和 text（文本），或为每段录音加入一个同名的 .txt 文件。", "error recording-missing": "{place}：压缩包里没有这段录音。", "error not-a-recording": "{name} 不能作为录音读取。", "error bad-recordings": "无法读取压缩包里的文本：{why}",
};
