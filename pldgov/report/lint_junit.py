"""Lint findings as JUnit XML: a suite a rulebook, a failed case an error.

Warnings stand in the suite's standard output: JUnit knows no warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pldgov.report.xml_text import xml_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem


def render_lint_junit(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return the XML of one ``testsuites`` element.

    ``paths`` are the rulebooks that were read; a file with problems that is none of them (an
    examples file) gets a suite of its own.
    """
    root = Element("testsuites", name="pldgov lint")
    for path in dict.fromkeys((*paths, *(problem.path for problem in problems))):
        _add_suite(root, path, [problem for problem in problems if problem.path == path])
    for attribute in ("tests", "failures"):
        total = sum(int(suite.get(attribute, "0")) for suite in root)
        root.set(attribute, str(total))
    root.set("errors", "0")
    indent(root)
    body = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _add_suite(root: Element, path: str, problems: Sequence[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    name = xml_text(path)
    suite = SubElement(root, "testsuite", name=name, tests=str(max(len(errors), 1)))
    suite.attrib |= {"failures": str(len(errors)), "errors": "0", "skipped": "0", "time": "0"}
    for problem in errors:
        title = f"{problem.code} at {problem.line}:{problem.column}"
        case = SubElement(suite, "testcase", classname=name, name=title, file=name, time="0")
        case.set("line", str(problem.line))
        message = xml_text(problem.message)
        failure = SubElement(case, "failure", message=message, type=problem.code)
        failure.text = xml_text(str(problem))
    if not errors:
        SubElement(suite, "testcase", classname=name, name="lint", file=name, time="0")
    if warnings:
        lines = (f"warning: {problem}" for problem in warnings)
        SubElement(suite, "system-out").text = xml_text("\n".join(lines))
