"""Machine translation: from sentence pairs to a translator with attention."""
