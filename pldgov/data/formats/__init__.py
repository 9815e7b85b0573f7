"""One module per file format: bytes in, rows out."""
