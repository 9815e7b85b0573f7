"""Rulebooks: their values, their YAML text, and what is checked about them."""
