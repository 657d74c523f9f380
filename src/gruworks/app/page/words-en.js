// The page in English.
export const en = {
  skip: "Skip to the content", views: "Views", theme: "Light or dark", working: "Working",
  tabForecast: "Forecast", tabWrite: "Write", tabTranslate: "Translate", tabListen: "Listen", tabInside: "Look inside",
  failed: "The server could not do this.",
  noModel: "No model for this is served. Start the server with a run of this task.",
  model: "Model", stop: "Stop", more: "More settings", copyLink: "Copy link", copied: "Copied",

  forecastTitle: "What comes next", forecastAbout: "Drop a table of dates and values. The forecast comes with bands that were measured, beside forecasts that need no learning, and says whether it has skill.",
  dropTable: "Drop a CSV here, or choose one", useOwn: "Forecast the model's own series", useTable: "Forecast this table",
  timeColumn: "Time", targetColumn: "Value", seriesColumn: "Series", none: "none", horizon: "Steps ahead",
  backtest: "Test it on the past", fitNew: "Learn from this table", fitSettings: "Fit a new model", cancel: "Cancel", fitting: "Learning from {name}: step {step} of {steps}", fittingLeft: "Learning from {name}: step {step} of {steps}, about {left} s left", fitted: "Learnt. The new model is {model}.", fitNeedsTimes: "A model learns from times and values: choose the column of times.", cancelled: "Cancelled. Nothing was kept.",
  noModelButNaive: "none: the best naive forecast", fileName: "{name}", rowsRead: "{name}: {rows} rows", history: "Measured", forecastLine: "Forecast", band: "{level} % band", shownSeries: "Series",
  emptyForecast: "Choose a table, or forecast what the model knows.", emptyTable: "The forecast of this table appears here.",
  answerNaive: "This is a naive forecast, {naive}: of those that need no learning, the best on this table's own past. No model has learnt from the table.", naiveLine: "Naive forecast: {naive}",
  skillNone: "{model} was no better than the naive forecast ({naive}), so that one answers alone.",
  skillSome: "The network counts for {weight} %, {naive} for the rest; on held-out rows the error was {gain} % below the naive one.", skillSomeTable: "{model} counts for {weight} %, {naive} for the rest: on this table's past the error was {gain} % below that of {naive} alone.",
  skillAll: "The network answers alone; on held-out rows its error was {gain} % below the naive one ({naive}).", skillAllTable: "{model} answers alone: on this table's past its error was {gain} % below that of {naive}.",
  skillUnknown: "{model} answers alone. How good it is here could not be measured, so nothing is said of its skill.", answerAutoregression: "There were too few rows for a network to learn from. An autoregression on differences answers alone.", autoregression: "autoregression",
  testTitle: "On rows that it had not seen", pastTitle: "On the past of this table", thisAnswer: "{name} (this forecast)", heldTitle: "On rows that the fit held out", inNumbers: "In numbers", method: "Forecast", mae: "Mean absolute error", coverage: "80 % band holds", noTest: "There are too few unseen rows to test on.",

  writeTitle: "Write on", writeAbout: "The model writes, sign by sign. Give it a beginning, or a form of Chinese verse, whose rules it then keeps.",
  prompt: "Beginning", titleOf: "Title", form: "Form", free: "free", temperature: "Temperature", length: "Length", seed: "Seed (empty: by chance)", writeGo: "Write", emptyWrite: "What is written appears here.",
  keepsRules: "Keeps every rule of {form}", breaksRules: "Breaks {count} rules", tookSeconds: "{seconds} s, seed {seed}",

  translateTitle: "Say it in another language", translateAbout: "A beam search over a GRU encoder and decoder. The map shows where each written piece looked in the sentence.",
  sentence: "Sentence", beam: "Beam size", alternatives: "Other answers", translateGo: "Translate", emptyTranslate: "The translation appears here.", attention: "Where it looked", score: "score {score}",

  listenTitle: "Write down what is said", listenAbout: "Speak, or give a recording. A streaming model writes while it hears, with the weights that it was fitted with.",
  microphone: "Start the microphone", microphoneStop: "Stop", dropAudio: "Drop a recording here, or choose one", emptyListen: "What is heard appears here.", noMicrophone: "The microphone can't be used: {why}", listening: "Listening …", others: "It could also be", heardNothing: "Nothing was understood.", secondsLong: "{seconds} s",

  insideTitle: "Look inside", insideAbout: "Each column is a step, each row a unit. The update gate says how much of a unit's state is replaced, the reset gate how much of the past a new candidate may see.",
  numbersOrText: "Numbers or text", reader: "Read by", trainedUnit: "a GRU trained on number lines", threeCells: "RNN, LSTM and GRU, untrained", units: "Units", insideGo: "Look", untrained: "{cell} of {units} units, untrained", firstUnit: "The first unit of {model}", emptyInside: "Gates and states appear here.",
  answerIs: "After {numbers} it expects {answer}.", memory: "Memory of each unit, in steps", unit: "unit", step: "step", update: "Update gate z", reset: "Reset gate r", candidate: "Candidate h̃", hidden: "State h", cellState: "Cell state c", gateI: "Input gate i", gateF: "Forget gate f", gateO: "Output gate o", gateG: "Candidate g",

  "frequency s": "by-the-second", "frequency min": "by-the-minute", "frequency h": "hourly", "frequency D": "daily", "frequency B": "business-day", "frequency W": "weekly", "frequency M": "monthly", "frequency Q": "quarterly", "frequency Y": "yearly", "frequency steps": "undated", "frequency irregular": "irregular",
  "note missing-values": "{count} values are missing in the table.", "note irregular": "The times follow no regular step.", "note other-frequency": "{model} was fitted on {own} values; this table's are {table}. It has no part in this forecast.",

  "error no-server": "The server does not answer. Is it still running?", "error slow": "This took longer than the server allows. Ask for less, or try again.", "error too-much": "This is more than the server takes at once.", "error value": "One of the values cannot be used. Check the numbers.", "error busy": "The server is busy. Try again in a moment.", "error fault": "Something went wrong in the server.",
  "error at csv": "This file cannot be read as a table.", "error at file": "This is no recording that can be read: wav, flac, ogg or mp3 are.",
  "error large-file": "The file is too large: the server takes {most} MB.", "error not-text": "This file is not text in UTF-8. Save the table as CSV, UTF-8.", "error fit-failed": "Nothing could be learnt from this table. {why}",
  "error empty-table": "The file is empty. A table has a line of column names, then a line for each row.", "error unreadable-table": "This file cannot be read as a table: a quotation mark is open, or it is not CSV.", "error row-width": "Line {line} of the table has {count} values, the first line {head}.", "error same-names": "Two columns have the same name: {names}.", "error too-many-columns": "The table has more than {most} columns. Leave out what isn't needed.", "error too-many-rows": "The table has more than {most} rows.",
  "error no-times": "No column could be read as dates. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45. With “none” the rows count as 1, 2, 3 …", "error no-numbers": "No column holds numbers. Numbers are written 1234.5.", "error same-column": "Time, value and series are columns of their own.", "error no-column": "The table has no column “{column}”.", "error no-rows": "The table has no rows below its first line.",
  "error not-a-date": "Line {line}: “{value}” is no date. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45.", "error not-dates": "This column cannot be read as dates. Dates are written 2024-01-31, also with a time: 2024-01-31 13:45.", "error not-a-row-number": "Line {line}: “{value}” is no whole number like the others.", "error time-zone": "The times have the time zone {zone}. Convert them to UTC, or leave the zone out.", "error time-twice": "Line {line}: the time {time} stands twice. Where the table holds several series, choose the column of their names as Series.", "error time-back": "Line {line}: the time {time} comes after a later one. Sort the rows, the oldest first.", "error out-of-rhythm": "Line {line}: {time} does not follow {before} in the step of the other rows. Add the rows that are missing.", "error two-frequencies": "The series {one} and {other} have different time steps. Forecast them as tables of their own.",
  "error series-missing": "Line {line}: the series has no name.", "error too-few-values": "A series has {count} values; a forecast needs {least} at least.", "error not-a-number": "Line {line}: “{value}” is no number. Numbers are written 1234.5.", "error too-large-number": "Line {line}: {value} is too large a number.", "error infinite": "Line {line}: an infinite value. Leave the cell empty.", "error beyond-numbers": "So far ahead the forecast is beyond every number. Ask for fewer steps.",
  "error too-many-series": "The table has {count} series; {most} are forecast at once.", "error horizon": "This looks at most {most} steps ahead.", "error needs-columns": "This model also reads columns that the table lacks: {columns}.",
};
