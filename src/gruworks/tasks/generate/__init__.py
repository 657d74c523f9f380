"""Text generation: a language model from a text file, which writes on."""
