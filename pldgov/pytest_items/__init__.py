"""Rulebooks as pytest items: what the plugin loads once it is active."""
