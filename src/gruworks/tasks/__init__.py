"""Tasks: forecast, generate, translate and transcribe, all with the same file layout."""
