"""What a pull-request comment tells: the diff of both sides, and the gate's own verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pldgov.comment_report import CommentReport, NoVerdict, RulebookNews
from pldgov.errors import PldgovError
from pldgov.results import GateReport
from pldgov.student_lock import lock_changes
from pldgov.workflows.gating import blessed_evidence
from pldgov.workflows.locking import pinned, read_lock
from pldgov.workflows.upgrading import gate_student_against_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.diff_report import RulebookDiff
    from pldgov.rulebook.diff.pairing import Pair
    from pldgov.student_lock import StudentChange
    from pldgov.workflows.diffing import Differ
    from pldgov.workflows.measure import Answering

    Gate = Callable[[str], GateReport]


@dataclass(frozen=True)
class Commenter:
    """Tells what changed between the trees of ``differ``, whose head is the working tree.

    ``gate`` judges a rulebook by its path as ``pldgov gate`` does, so that both cannot disagree.
    ``answering`` is None where no student could be opened; changes of students are then not
    judged.
    """

    differ: Differ
    gate: Gate
    answering: Answering | None = None

    def report(self, pairs: Sequence[Pair]) -> CommentReport:
        """Return what there is to tell of the given rulebooks; what fails is told too."""
        verdicts = {pair.head: self._judge(pair.head) for pair in pairs if pair.head is not None}
        differ = replace(
            self.differ,
            verdicts={
                path: said.message if isinstance(said, NoVerdict) else said
                for path, said in verdicts.items()
            },
        )
        report = differ.report(pairs)
        return CommentReport(
            base=report.base,
            head=report.head,
            rulebooks=tuple(
                self._news(diff, verdicts.get(diff.head_path or "")) for diff in report.rulebooks
            ),
            volume=report.volume,
            notes=report.notes,
        )

    def _judge(self, path: str) -> GateReport | NoVerdict:
        try:
            return self.gate(path)
        except PldgovError as error:
            return NoVerdict(str(error), error.exit_code)

    def _news(self, diff: RulebookDiff, said: GateReport | NoVerdict | None) -> RulebookNews:
        """Return one rulebook's news; an unreadable or unchanged one has its verdict too."""
        if isinstance(said, GateReport):
            diff = replace(diff, gate=said)
        elif said is not None and not diff.troubles:
            diff = replace(diff, unmeasured=said.message)
        students, diff = self._students(diff)
        upgrades = self._upgrades(diff, students) if students else ()
        return RulebookNews(diff, said, students, upgrades)

    # -- who answers ----------------------------------------------------------------------------

    def _students(self, diff: RulebookDiff) -> tuple[tuple[StudentChange, ...], RulebookDiff]:
        """Return how the locks differ; one that cannot be read is told as a note."""
        if diff.base_path is None or diff.head_path is None:
            return (), diff
        trees = self.differ.trees
        try:
            before = read_lock(trees.base, _folder(diff.base_path))
            after = read_lock(trees.head, _folder(diff.head_path))
        except PldgovError as error:
            said = f"whether another student answers is not known: {error}"
            return (), replace(diff, notes=(*diff.notes, said))
        return lock_changes(before, after), diff

    def _upgrades(
        self, diff: RulebookDiff, changes: Sequence[StudentChange]
    ) -> tuple[GateReport, ...]:
        """Judge the student that answers now against the base's evidence of those it replaces."""
        if self.answering is None or diff.base_path is None or diff.head_path is None:
            return ()
        found = []
        try:
            student = pinned(self.differ.trees.head, diff.head_path, self.answering.student)
            answering = replace(self.answering, student=student)
            replaced = _replaced(changes, answering.card.fingerprint)
        except PldgovError:
            return ()  # nobody knows who answers now: then the section says that, too
        for name in replaced:
            try:
                report = self._upgrade(diff.base_path, diff.head_path, name, answering)
            except PldgovError:
                continue  # the section says that the change was not judged, and how to do that
            if report is not None:
                found.append(report)
        return tuple(found)

    def _upgrade(
        self, base_path: str, head_path: str, name: str, answering: Answering
    ) -> GateReport | None:
        evidence = blessed_evidence(self.differ.trees.base, _folder(base_path), name)
        if evidence is None:
            return None
        head = self.differ.load(self.differ.trees.head, head_path)
        head.require()
        return gate_student_against_evidence(head, evidence, new=answering)


def _replaced(changes: Sequence[StudentChange], fingerprint: str) -> tuple[str, ...]:
    """Return whom the student of this fingerprint replaces, by the names in the base's lock."""
    ours = [one for one in changes if one.after and one.after.fingerprint == fingerprint]
    if not ours:
        return ()
    renewed = tuple(one.name for one in ours if one.before)
    return renewed or tuple(one.name for one in changes if one.after is None)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
