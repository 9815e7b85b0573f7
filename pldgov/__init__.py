"""pldgov: governance for distilled prompts, with rules as reviewable code."""

__version__ = "0.1.0"
