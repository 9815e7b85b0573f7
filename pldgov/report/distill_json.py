"""A distillation as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pldgov.distill.summary import summary_to_json

if TYPE_CHECKING:
    from pldgov.distill.summary import Summary


def render_distill_json(summary: Summary) -> str:
    """Return every figure of a distillation, unrounded."""
    return json.dumps(summary_to_json(summary), indent=2, ensure_ascii=False) + "\n"
