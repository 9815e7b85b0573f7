"""How readable, well founded and repeatable a rulebook is: standard figures about its rules.

``docs/interpretability.md`` gives every formula and its source.
"""
