"""What the process that sums up does: the third state, the summary, the report, the exit status.

Without xdist this is the one process; with it, the controller, which sees only reports.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pldgov.pytest_items.settings import Settings

_YELLOW = {"yellow": True}


class Summary:
    """Gathers what reports carry."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._rulebooks: dict[str, dict[str, dict[str, Any]]] = {}  # by rulebook, then worker
        self._warnings: dict[str, None] = {}
        self._undecided: dict[str, str] = {}  # reasons of undecided items that are no rulebook's
        self._is_blocked = False
        self._unwritten: str | None = None

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show undecided items as a category of their own, unless they are accepted as skipped."""
        said = getattr(report, "pldgov_undecided", None)
        if said is None or said["accepted"]:
            return None
        return "undecided", "?", ("UNDECIDED", _YELLOW)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a report carries."""
        facts = json.loads(getattr(report, "pldgov_facts", "{}"))
        self._warnings |= dict.fromkeys(facts.get("warnings", ()))
        if "rulebook" in facts:
            self._rulebooks.setdefault(facts["rulebook"], {})[facts["worker"]] = facts
        said = getattr(report, "pldgov_undecided", None)
        if said is None:
            return
        self._is_blocked |= said["blocks"]
        assert isinstance(report.longrepr, tuple)
        self._undecided[report.nodeid] = report.longrepr[2]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Make undecided count in the exit status, and write the report."""
        if self._is_blocked and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.settings.report is not None:
            self._write(self.settings.report, session)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the section; nothing at all when no rulebook was judged."""
        lines = [*self._lines(), *(f"warning: {text}" for text in self._warnings)]
        if self._unwritten:
            lines.append(f"error: {self._unwritten}")
        if lines:
            terminalreporter.section("pldgov")
        for line in lines:
            terminalreporter.line(line)

    def _lines(self) -> Iterator[str]:
        for path, facts in self._merged():
            yield _line(path, facts)
            if facts["undecided"]:
                yield f"  {facts['undecided']}"
            yield from (f"  note: {note}" for note in facts.get("notes", ()))
        rulebooks = tuple(f"{path}::" for path in self._rulebooks)
        for nodeid, reason in self._undecided.items():
            if not nodeid.startswith(rulebooks):
                yield f"UNDECIDED {nodeid}: {reason}"

    def _merged(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return the facts of each rulebook; student calls of several workers add up.

        Any worker's verdict will do: all judge the same answers.
        """
        for path, by_worker in sorted(self._rulebooks.items()):
            facts = dict(next(facts for _, facts in sorted(by_worker.items())))
            if "gate" in facts:
                facts["asked"] = sum(each.get("asked", 0) for each in by_worker.values())
                facts["gate"] = {**facts["gate"], "asked": facts["asked"]}
            yield path, facts

    def _write(self, file: Path, session: pytest.Session) -> None:
        from pldgov.errors import StorageError  # noqa: PLC0415  (only who wants the file pays)
        from pldgov.files import write_atomically  # noqa: PLC0415
        from pldgov.report.gate_json import render_gate_json  # noqa: PLC0415

        merged = tuple(self._merged())
        content = json.loads(render_gate_json(()))
        content["rulebooks"] = [facts["gate"] for _, facts in merged if "gate" in facts]
        content["unjudged"] = [
            {"path": path, "reason": facts["unjudged"]}
            for path, facts in merged
            if "unjudged" in facts
        ]
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        try:
            write_atomically(file, text.encode())
        except StorageError as error:
            self._unwritten = f"--pldgov-report is not written: {error}"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _line(path: str, facts: Mapping[str, Any]) -> str:
    """Return verdict and figures of one rulebook, and who was asked how often."""
    parts = [f"{facts['outcome']} {path}"]
    if facts["figures"]:
        parts[0] += f": {facts['figures']}"
    if "gate" in facts:
        parts += [f"student {facts['student']}", f"base {facts['base'] or 'none'}"]
        parts.append(f"student calls {facts['asked']}")
    return "; ".join(parts)
