"""One file a task: a request in, the loaded's model asked, an answer out."""
