"""The audit pack's own files: tables that a spreadsheet opens, and an index."""
