"""Labelled examples: reading, writing, importing, comparing and splitting them."""
