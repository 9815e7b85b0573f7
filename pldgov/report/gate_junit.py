"""Gate verdicts as JUnit XML: a rulebook is a suite, macro-F1 and each label are its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from pldgov.report.xml_text import xml_text
from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import Difference, GateReport


def render_gate_junit(reports: Sequence[GateReport]) -> str:
    """Return the verdicts as the XML that CI systems read."""
    root = Element("testsuites", name="pldgov gate")
    for report in reports:
        _suite(root, report)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: GateReport) -> None:
    verdict = report.verdict
    cases = [("macro_f1", verdict.outcome, verdict.reason, verdict.macro_f1)]
    cases += [
        (f"label[{label.label}]", label.outcome, label.reason, label.difference)
        for label in verdict.labels
    ]
    suite = SubElement(root, "testsuite", name=xml_text(report.path), tests=str(len(cases)))
    suite.set("failures", str(sum(case[1] is Outcome.REGRESSED for case in cases)))
    suite.set("skipped", str(sum(_is_undecided(case[1]) for case in cases)))
    suite.set("errors", "0")
    for name, outcome, reason, difference in cases:
        case = SubElement(suite, "testcase", classname=xml_text(report.path), name=xml_text(name))
        _properties(case, difference)
        if outcome is Outcome.REGRESSED:
            SubElement(case, "failure", message=xml_text(reason), type=str(outcome))
        elif _is_undecided(outcome):
            SubElement(case, "skipped", message=xml_text(f"{outcome}: {reason}"))


def _is_undecided(outcome: Outcome) -> bool:
    return outcome not in (Outcome.PASS, Outcome.REGRESSED)


def _properties(case: Element, difference: Difference | None) -> None:
    if difference is None:
        return
    properties = SubElement(case, "properties")
    for name, value in (
        ("base", difference.base),
        ("head", difference.head),
        ("delta", difference.delta),
        ("low", difference.interval.low),
        ("high", difference.interval.high),
    ):
        SubElement(properties, "property", name=name, value=repr(value))
