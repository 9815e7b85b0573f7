"""Prompts that exist already, read into rules: Markdown or text, and ACE playbooks."""
