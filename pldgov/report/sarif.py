"""SARIF 2.1.0, the parts that every log of ours has.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pldgov import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.problems import Severity

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "ROOT"


def sarif_log(
    category: str,
    *,
    rules: Mapping[str, str | None],
    paths: Sequence[str],
    results: Sequence[Mapping[str, Any]],
) -> str:
    """Return a log of one run.

    ``category`` tells this run from the others of a commit, so that a code-scanning service keeps
    them apart. ``rules`` gives a sentence for each rule id, ``paths`` are the files that were
    read, relative to the root of the repository, and ``results`` come from ``result``.
    """
    ids = list(rules)
    run = {
        "tool": {
            "driver": {
                "name": "pldgov",
                "semanticVersion": __version__,
                "rules": [_rule(id_, sentence) for id_, sentence in rules.items()],
            }
        },
        "automationDetails": {"id": f"{category}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "artifacts": [{"location": _location(path)} for path in paths],
        "results": [{**one, "ruleIndex": ids.index(one["ruleId"])} for one in results],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def result(
    rule: str,
    level: Severity,
    message: str,
    *,
    path: str,
    place: tuple[int, int],
    fingerprint: str,
) -> dict[str, Any]:
    """Return one result at a line and column; ``fingerprint`` is its identity over commits."""
    line, column = place
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _without_links(message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _location(path),
                    "region": {"startLine": line, "startColumn": column},
                }
            }
        ],
        "partialFingerprints": {"pldgovFinding/v1": fingerprint},
    }


def _rule(id_: str, sentence: str | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": id_}
    if sentence:
        rule["shortDescription"] = {"text": f"{sentence[0].upper()}{sentence[1:]}."}
    return rule


def _location(path: str) -> dict[str, str]:
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _without_links(text: str) -> str:
    """Return a message in which ``[text](target)`` is no link: what people wrote may hold it."""
    return text.replace("](", "] (")
