// The page in English.
export const en = {
  skip: "Skip to the content", views: "Views", theme: "Light or dark", working: "Working",
  tabForecast: "Forecast", tabWrite: "Write", tabTranslate: "Translate", tabListen: "Transcribe", tabInside: "Look inside",
  failed: "The server could not do this.",
  noModel: "No model for this task is served. Start the server with a run of this task.",
  model: "Model", stop: "Stop", more: "More settings", interruptedModel: "The fit of this model was interrupted. The model has the best weights so far.",

  fitSettings: "Fit a new model", fitNew: "Fit the model", cancel: "Cancel", fitting: "Fitting to {name}: step {step} of {steps}", fittingLeft: "Fitting to {name}: step {step} of {steps}, about {left} s left", fitted: "The fit is done. The new model is {model}.", cancelled: "The fit was cancelled. Its run was not kept.",
  "dropText generate": "Drop a text file here, or choose one", "dropText translate": "Drop sentence pairs here, or choose a file: a pair a line, with a tab between",

  forecastTitle: "Forecast a table", forecastAbout: "Drop a table of dates and values. The forecast has calibrated prediction intervals and is compared with naive forecasts on the past of the table.",
  dropTable: "Drop a CSV file here, or choose one", useOwn: "Forecast the model's own series", useTable: "Forecast this table",
  timeColumn: "Time", targetColumn: "Value", seriesColumn: "Series", none: "none", horizon: "Steps ahead",
  backtest: "Test it on the past", fitNeedsTimes: "A fit needs times and values: choose the column of times.",
  noModelButNaive: "none: the best naive forecast", fileName: "{name}", rowsRead: "{name}: {rows} rows", history: "History", forecastLine: "Forecast", band: "{level} % interval", shownSeries: "Series",
  emptyForecast: "Choose a table, or forecast the model's own series.", emptyTable: "The forecast of this table appears here.",
  answerNaive: "This is a naive forecast, {naive}: of the naive methods, it has the smallest error on this table's own past. No model was fitted to the table.", naiveLine: "Naive forecast: {naive}",
  skillNone: "{model} was no better than the naive forecast ({naive}), so this is the naive forecast alone.",
  skillSome: "The network has a weight of {weight} %, {naive} has the rest. On the validation rows the error was {gain} % below that of the naive forecast.", skillSomeTable: "{model} has a weight of {weight} %, {naive} has the rest. On this table's past the error was {gain} % below that of {naive} alone.",
  skillAll: "This is the network alone. On the validation rows its error was {gain} % below that of the naive forecast ({naive}).", skillAllTable: "This is {model} alone. On this table's past its error was {gain} % below that of {naive}.",
  skillUnknown: "This is {model} alone. The table is too short to measure its error, so nothing is said of its skill.", answerAutoregression: "There were too few rows to fit a network. This is an autoregression on differences.", autoregression: "autoregression",
  answerBaselines: "There were too few rows to fit a network. This is a combination of statistical baselines, weighted by their errors on the past of this table.", baselines: "statistical baselines",
  testTitle: "Errors on unseen rows", pastTitle: "Errors on the past of this table", thisAnswer: "{name} (this forecast)", heldTitle: "Errors on the validation rows", inNumbers: "In numbers", method: "Forecast", mae: "Mean absolute error", coverage: "Coverage of the 80 % interval", noTest: "There are too few unseen rows for a test.",

  writeTitle: "Continue a text", writeAbout: "The model writes token by token. Give it a beginning, or choose a form of Chinese verse, whose rules it then keeps.",
  prompt: "Beginning", titleOf: "Title", form: "Form", free: "free", writeGo: "Write", emptyWrite: "The text appears here.",
  keepsRules: "Keeps every rule of {form}", breaksRules: "Breaks {count} rules", tookSeconds: "{seconds} s, seed {seed}",

  translateTitle: "Translate a sentence", translateAbout: "A beam search over a GRU encoder and decoder. The map shows the attention of each target token over the source sentence.",
  sentence: "Sentence", alternatives: "Other translations", translateGo: "Translate", emptyTranslate: "The translation appears here.", attention: "Attention", score: "score {score}",

  listenTitle: "Transcribe speech", listenAbout: "Speak, or choose a recording. A streaming model transcribes while you speak, with the weights that it was fitted with.",
  microphone: "Start the microphone", microphoneStop: "Stop", dropAudio: "Drop a recording here, or choose one", emptyListen: "The transcript appears here.", noMicrophone: "The microphone can't be used: {why}", listening: "Listening …", others: "Other candidates", heardNothing: "No speech was recognised.",

  insideTitle: "Look inside", insideAbout: "Each column is a time step, each row a unit. The update gate says how much of a unit's state is replaced, the reset gate how much of the previous state enters the candidate.",
  numbersOrText: "Numbers or text", reader: "Model", trainedUnit: "a GRU trained on arithmetic sequences", threeCells: "RNN, LSTM and GRU, untrained", units: "Hidden size", insideGo: "Show", untrained: "{cell} of hidden size {units}, untrained", firstUnit: "The first GRU of {model}", emptyInside: "Gates and states appear here.",
  answerIs: "After {numbers} it predicts {answer}.", memory: "Memory length of each unit, in steps", unit: "unit", step: "steps", update: "Update gate z", reset: "Reset gate r", candidate: "Candidate h̃", hidden: "Hidden state h", cellState: "Cell state c", gateI: "Input gate i", gateF: "Forget gate f", gateO: "Output gate o", gateG: "Candidate g",

  "frequency s": "by-the-second", "frequency min": "by-the-minute", "frequency h": "hourly", "frequency D": "daily", "frequency B": "business-day", "frequency W": "weekly", "frequency M": "monthly", "frequency Q": "quarterly", "frequency Y": "yearly", "frequency steps": "undated", "frequency open": "opening-hours", "frequency irregular": "irregular",
  "note missing-values": "{count} values are missing in the table.", "note irregular": "The times are not evenly spaced.", "note other-frequency": "{model} was fitted on {own} values; those of this table are {table}. It has no part in this forecast.",

  "error no-server": "The server does not answer. Is it still running?", "error slow": "This took longer than the server allows. Ask for less, or try again.", "error too-much": "This is more than the server takes at once.", "error value": "One of the values cannot be used. Check the numbers.", "error busy": "The server is busy. Try again in a moment.", "error fault": "An error occurred in the server.",
  "error at csv": "This file cannot be read as a table.", "error at file": "This recording cannot be decoded. The formats are wav, flac, ogg and mp3.",
  "error no-file": "Choose a file to fit the model to.", "error large-file": "The file is too large: the server takes {most} MB.", "error not-text": "This file is not text in UTF-8. Save it as UTF-8, a table as CSV.", "error fit-failed": "The model could not be fitted to these data. {why}",
  "error empty-table": "The file is empty. A table has a line of column names, then a line for each row.", "error unreadable-table": "This file cannot be read as a table: a quotation mark is open, or it is not CSV.", "error row-width": "Line {line} of the table has {count} values, the first line {head}.", "error same-names": "Two columns have the same name: {names}.", "error too-many-columns": "The table has more than {most} columns. Leave out what isn't needed.", "error too-many-rows": "The table has more than {most} rows.",
  "error no-times": "No column could be read as dates. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45. With “none” the rows count as 1, 2, 3 …", "error no-numbers": "No column holds numbers. Numbers are written 1234.5.", "error same-column": "Time, value and series must be different columns.", "error no-column": "The table has no column “{column}”.", "error no-rows": "The table has no rows below its first line.",
  "error not-a-date": "Line {line}: “{value}” is no date. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45.", "error not-dates": "This column cannot be read as dates. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45.", "error day-or-month": "The dates can be read with the day or the month first. Write them as 2024-01-31.", "error not-a-row-number": "Line {line}: “{value}” is no whole number like the others.", "error time-twice": "Line {line}: the time {time} occurs twice. Where the table holds several series, choose the column of their names as Series.", "error out-of-rhythm": "Line {line}: {time} does not follow {before} at the interval of the other rows. Add the rows that are missing.", "error two-frequencies": "The series {one} and {other} have different time steps. Forecast them as separate tables.",
  "error series-missing": "Line {line}: the series has no name.", "error too-few-values": "A series has {count} values; a forecast needs {least} at least.", "error not-a-number": "Line {line}: “{value}” is no number. Numbers are written 1234.5.", "error too-large-number": "Line {line}: {value} is too large a number.", "error infinite": "Line {line}: the value is infinite. Leave the cell empty.", "error beyond-numbers": "So far ahead the forecast exceeds the range of numbers. Ask for fewer steps.",
  "error too-many-series": "The table has {count} series; at most {most} are forecast at once.", "error horizon": "The forecast has at most {most} steps.", "error needs-columns": "This model also needs columns that the table lacks: {columns}.",
};
