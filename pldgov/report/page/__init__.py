"""The page: one HTML file, its style and its script, made of a dossier."""
