"""One file a task: a request in, the shelf's model asked, an answer out."""
