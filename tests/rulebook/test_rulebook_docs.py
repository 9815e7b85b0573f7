"""docs/rulebook.md is complete and its example is a valid rulebook."""

from __future__ import annotations

import re

from pldgov.rulebook.checks import CHECKS
from pldgov.rulebook.document import DOCUMENT_CODES, parse_document


def test_every_check_stands_in_the_reference(repository):
    """Each code has a row with its severity, whether it can be excluded, and its description."""
    text = (repository / "docs" / "rulebook.md").read_text("utf-8")
    for code, one in CHECKS.items():
        excludable = "yes" if one.excludable else "no"
        assert f"| `{code}` | {one.severity} | {excludable} | {one.description} |" in text
    for code, description in DOCUMENT_CODES.items():
        assert f"| `{code}` | {description} |" in text


def test_the_example_of_the_reference_is_valid(repository):
    """The rulebook shown in the reference reads without a problem."""
    text = (repository / "docs" / "rulebook.md").read_text("utf-8")
    shown = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    assert parse_document(shown.encode(), path="docs/rulebook.md").problems == ()


def test_every_code_that_reading_reports_is_listed(repository):
    """No code in the source of the reading path is missing in DOCUMENT_CODES."""
    folder = repository / "pldgov" / "rulebook"
    names = ("document", "validation", "yaml_errors", "yaml_nodes", "yaml_values")
    source = "".join((folder / f"{name}.py").read_text("utf-8") for name in names)
    used = re.findall(
        r'(?:Fault|Invalid|_fault|Problem)\(\s*(?:"", 1, 1, |"", line, column, )?"([a-z0-9-]+)"',
        source,
    )
    assert len(used) > 10
    assert set(used) <= set(DOCUMENT_CODES)
