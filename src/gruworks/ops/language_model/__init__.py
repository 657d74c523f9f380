"""N-gram language models: Kneser-Ney estimation, back-off tables, the ARPA format."""
