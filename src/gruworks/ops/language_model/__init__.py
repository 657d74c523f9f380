"""N-gram language models: Kneser-Ney estimation, backoff tables, the ARPA format."""
