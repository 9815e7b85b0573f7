"""``python -m pldgov``."""

from pldgov.cli import main

main()
