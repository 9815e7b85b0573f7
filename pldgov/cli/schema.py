"""``pldgov schema``: the JSON Schema that editors complete rulebooks from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, write_result
from pldgov.rulebook.schema import schema_text

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@output_option
def command(output: Path | None) -> int:
    """Print the JSON Schema of rulebooks.

    With ``-o rulebook.schema.json`` at the root of a repository, ``pldgov fmt`` names it in the
    first line of every rulebook, where editors look for it.
    """
    write_result(schema_text(), output)
    return 0
