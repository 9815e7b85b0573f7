"""A rendered prompt as a file for other tools: one module a format, pure text in each."""
