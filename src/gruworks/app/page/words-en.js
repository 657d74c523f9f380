// The page in English.
export const en = {
  skip: "Skip to the content", views: "Views", theme: "Light or dark", working: "Working",
  tabForecast: "Forecast", tabWrite: "Write", tabTranslate: "Translate", tabListen: "Listen", tabInside: "Look inside",
  noServer: "The server does not answer. Is it still running?", failed: "The server could not do this",
  noModel: "No model for this is served. Start the server with a run of this task.",
  model: "Model", stop: "Stop", more: "More settings", copyLink: "Copy link", copied: "Copied",

  forecastTitle: "What comes next", forecastAbout: "Drop a table of dates and values. The forecast comes with bands that were measured, beside forecasts that need no learning, and says whether it has skill.",
  dropTable: "Drop a CSV here, or choose one", useOwn: "Forecast the model's own series", useTable: "Forecast this table",
  timeColumn: "Time", targetColumn: "Value", seriesColumn: "Series", none: "none", horizon: "Steps ahead",
  backtest: "Test it on the past", fitNew: "Learn from this table", fitSettings: "Fit a new model", cancel: "Cancel", fitting: "Learning: step {step} of {steps}", fitLeft: ", about {left} s left", fitted: "Learnt. The new model is {model}.", cancelled: "Cancelled. Nothing was kept.",
  rowsRead: "{name}: {rows} rows", history: "Measured", forecastLine: "Forecast", band: "{level} % band", shownSeries: "Series",
  emptyForecast: "Choose a table, or forecast what the model knows.", skillNone: "No skill over the naive forecast ({naive}): it answers alone.", skillSome: "The network counts for {weight} %, {naive} for the rest; on held-out rows the error was {gain} % below the naive one.", skillAlone: "The network answers alone.",
  testTitle: "On rows that it had not seen", heldTitle: "On rows that the fit held out", inNumbers: "In numbers", method: "Forecast", mae: "Mean absolute error", coverage: "80 % band holds", noTest: "There are too few unseen rows to test on.",

  writeTitle: "Write on", writeAbout: "The model writes, sign by sign. Give it a beginning, or a form of Chinese verse, whose rules it then keeps.",
  prompt: "Beginning", titleOf: "Title", form: "Form", free: "free", temperature: "Temperature", length: "Length", seed: "Seed (empty: by chance)", writeGo: "Write", emptyWrite: "What is written appears here.",
  keepsRules: "Keeps every rule of {form}", breaksRules: "Breaks {count} rules", tookSeconds: "{seconds} s, seed {seed}",

  translateTitle: "Say it in another language", translateAbout: "A beam search over a GRU encoder and decoder. The map shows where each written piece looked in the sentence.",
  sentence: "Sentence", beam: "Beams", alternatives: "Other answers", translateGo: "Translate", emptyTranslate: "The translation appears here.", attention: "Where it looked", score: "score {score}",

  listenTitle: "Write down what is said", listenAbout: "Speak, or give a recording. A streaming model writes while it hears, with the weights that it was fitted with.",
  microphone: "Start the microphone", microphoneStop: "Stop", dropAudio: "Drop a recording here, or choose one", emptyListen: "What is heard appears here.", noMicrophone: "The microphone can't be used: {why}", listening: "Listening …", others: "It could also be", heardNothing: "Nothing was understood.", secondsLong: "{seconds} s",

  insideTitle: "Look inside", insideAbout: "Each column is a step, each row a unit. The update gate says how much of a unit's state is replaced, the reset gate how much of the past a new candidate may see.",
  numbersOrText: "Numbers or text", reader: "Read by", trainedUnit: "a GRU trained on number lines", threeCells: "RNN, LSTM and GRU, untrained", units: "Units", insideGo: "Look", untrained: "{cell} of {units} units, untrained", firstUnit: "The first unit of {model}", emptyInside: "Gates and states appear here.",
  answerIs: "After {numbers} it expects {answer}.", memory: "Memory of each unit, in steps", unit: "unit", step: "step", update: "Update gate z", reset: "Reset gate r", candidate: "Candidate h̃", hidden: "State h", cellState: "Cell state c", gateI: "Input gate i", gateF: "Forget gate f", gateO: "Output gate o", gateG: "Candidate g",
};
