// The playground in English.
export const en = {
  skip: "Skip to the content", views: "Views", theme: "Light or dark",
  tabGates: "Gates", tabForecast: "Forecast", tabVerse: "Verse", tabDigits: "Spoken digits",
  local: "Everything is computed in this browser; nothing that you enter leaves it.",
  notBuilt: "The models have not been built. Run make playground in the project, which needs the compiler zig, and load this page again.",

  gatesTitle: "The gates of a GRU, step by step", gatesAbout: "A GRU of hidden size 8, trained on other number lines, reads one number per step. The update gate says how much of a unit's state is replaced, the reset gate how much of the previous state enters the candidate.",
  numbers: "Numbers", play: "Play", pause: "Pause", step: "Next step", back: "Back to the start",
  gatesNote: "The GRU was trained on lines of five numbers; longer or other sequences show where it stops generalizing. Select a cell to see its equations.",
  notNumbers: "Enter 2 to 12 numbers, such as 1, 2, 3, 4, 5.", notYet: "not read yet",
  beforeFirst: "Before the first number, every state is 0.", afterStep: "Step {step}: after {number} it would predict {answer}.", afterLast: "After {number}, the last number, it predicts {answer}.",
  update: "Update gate z", reset: "Reset gate r", candidate: "Candidate h̃", state: "Hidden state h", unitOf: "Unit {unit}, step {step}",

  forecastTitle: "Forecast 14 days", forecastAbout: "The ready model of Seattle's daily maximum temperature, compiled to WebAssembly, on its own series or on a table of yours. Each value that you observe updates the forecast.",
  dropTable: "Drop a CSV file here, or choose one", column: "Column", useSeattle: "Seattle's series", nextValue: "Value of the next day", observe: "Observe", undo: "Undo", observeNote: "Leave the field empty for a missing value.",
  history: "History", medianLine: "Median", interval: "80 % interval", chartOf: "Forecast of {name}", nextDay: "{date}: median {median}, 80 % interval {low} to {high}",
  seattleAbout: "Seattle's daily maximum temperature in °C, 2012 to 2015, and the 14 days after it.",
  seattleVerdict: "The model was fitted on this series. Refitted without the last part, its mean absolute error on that part was {mae} °C; that of the best naive rule ({naive}) {naiveMae} °C.",
  tableAbout: "{name}, {days} days ({missing} missing). The model was trained on Seattle's daily temperatures alone and has not seen this table.",
  tableSeen: "{name}, {days} days ({missing} missing). These are the days that the model was trained on: its error on days that it has not seen is larger than here.",
  modelBetter: "On this table's past its error was {gain} % below that of the best naive rule, {rule}. {origins} forecasts of 14 days; the 80 % interval held {coverage} % of the values.",
  naiveBetter: "On this table's past its error was not below that of {rule} ({gain} % above): prefer the naive rule here, or fit a model to this table. {origins} forecasts of 14 days; the 80 % interval held {coverage} % of the values.",
  tooShort: "The table is too short to measure the error of the forecast, so nothing is said of its skill.",
  method: "Forecast", mae: "Mean absolute error", "rule model": "this model", "rule last value": "last value", "rule mean of the last 14": "mean of the last 14 days", "rule a year before": "value of 364 days before", "rule climatology": "climatology", "rule seasonal naive (7)": "value of a week before", "rule seasonal naive (365)": "value of a year before", "rule drift": "drift",
  fewRows: "A table needs a line of column names and at least three rows.", manyRows: "The table has more than {most} rows.", noDates: "No column could be read as dates. Dates are written 2024-01-31.", noNumbers: "No column holds numbers. Numbers are written 1234.5.",
  twice: "The date {date} occurs twice. Give a table of one series.", notDaily: "The rows are not one per day. This model forecasts daily values alone.",

  verseTitle: "Chinese verse", verseAbout: "The ready model of Tang poems writes character by character. Under the rules of a form, characters that would break its tones or rhymes have no probability.",
  form: "Form", free: "free text", title: "Title", prompt: "Beginning", temperature: "Temperature", seed: "Seed", write: "Write", stop: "Stop",
  keepsRules: "Keeps every rule of {form} by construction. Seed {seed}.", wroteFree: "Free text of the same model, without rules. Seed {seed}.",

  digitsTitle: "Spoken digits", digitsAbout: "Say English digits, zero to nine. The ready model transcribes while you speak.",
  microphone: "Start the microphone", microphoneStop: "Stop", useRecording: "Transcribe the sample recording", dropAudio: "Drop a recording here, or choose one", listening: "Listening …", emptyDigits: "The transcript appears here.",
  digitsNote: "Trained on six male speakers in a quiet room: other speakers and noise raise the error rate considerably. The decoder here is greedy CTC, without the lexicon and beam search of the Python package.",
  took: "{seconds} s of sound in {took} s.", heardNothing: "No digit was recognized.", noMicrophone: "The microphone can't be used: {why}", noSound: "This recording can't be decoded: {why}",
};
