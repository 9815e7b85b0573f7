"""Reporting: a rulebook, its evidence and its history gathered for people to read."""
