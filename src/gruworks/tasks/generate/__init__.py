"""Text generation: language models fitted to text files, and sampling of continuations."""
