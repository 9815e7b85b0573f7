"""The life of a rulebook: who changed what, when, and on what evidence."""
