"""Series in: files and frames read, columns found, frequency and alignment of timestamps."""
