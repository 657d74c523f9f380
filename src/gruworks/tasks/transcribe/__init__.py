"""Speech recognition: learn from recordings with transcripts, transcribe files and streams."""
