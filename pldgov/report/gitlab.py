"""GitLab's Code Quality report: what it shows beside the lines of a merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pldgov.problems import Severity

_SEVERITIES: Final[Mapping[Severity, str]] = {"error": "major", "warning": "minor"}


def quality_report(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the report of findings that ``finding`` made."""
    return json.dumps(list(findings), indent=2, ensure_ascii=False) + "\n"


def finding(
    check: str, severity: Severity, message: str, *, path: str, line: int, fingerprint: str
) -> dict[str, Any]:
    """Return one finding; GitLab leaves out a second one with the same ``fingerprint``."""
    return {
        "check_name": check,
        "description": message,
        "severity": _SEVERITIES[severity],
        "fingerprint": fingerprint,
        "location": {"path": path, "lines": {"begin": line}},
    }
