"""The diff: both sides read from git objects, compared, and measured where answers are at hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pldgov.diff_report import DiffReport, FlippedExample, RulebookDiff
from pldgov.errors import (
    BudgetError,
    PldgovError,
    ProviderError,
    RulebookError,
    StudentAbsentError,
    UnjudgedError,
    UsageError,
)
from pldgov.rulebook.diff import compare_revisions
from pldgov.rulebook.diff.pairing import Pair, pair_rulebooks
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.loading import find_rulebooks
from pldgov.suggest import did_you_mean
from pldgov.workflows.diff_sides import ReadSide, read_side
from pldgov.workflows.flips import flip_concerns
from pldgov.workflows.gating import gate_against_revision, gate_without_base, recorded_answers
from pldgov.workflows.linting import new_problems, require_sound
from pldgov.workflows.locking import pinned
from pldgov.workflows.prompt_facts import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pldgov.approval_policy import ApprovalPolicy
    from pldgov.changes import Change
    from pldgov.diff_report import SideName, State
    from pldgov.ports import Source
    from pldgov.problems import Problem
    from pldgov.results import Answer, GateReport
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rulebook
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.revision_range import Trees

    Recorded = dict[tuple[str, str], dict[str, Answer]]

NO_STUDENT = "no student was opened"


@dataclass(frozen=True)
class Differ:
    """Compares rulebooks of two trees.

    ``load`` reads a rulebook from a tree. ``answering`` gives the answers of both sides; where it
    is None, ``unanswered`` says why. ``worktree`` is where examples are that no commit holds.
    ``verdicts`` holds what the gate has said already, or why it said nothing, by head's path.
    ``approval`` is the policy on approvals, against which lint holds both sides.
    """

    trees: Trees
    load: Callable[[Source, str], Revision]
    worktree: Source
    templates: str = "templates"
    answering: Answering | None = None
    unanswered: str = NO_STUDENT
    meter: Meter = field(default_factory=Meter)
    verdicts: Mapping[str | None, GateReport | str] = field(default_factory=dict)
    approval: ApprovalPolicy | None = None

    def report(self, pairs: Sequence[Pair]) -> DiffReport:
        """Compare the given rulebooks."""
        return DiffReport(
            base=self.trees.base.name,
            head=self.trees.head.name,
            rulebooks=tuple(map(self.compare, pairs)),
            volume=self.meter.volume,
            notes=self.trees.notes,
        )

    def compare(self, pair: Pair) -> RulebookDiff:
        """Compare one rulebook; what cannot be read or measured is said, not raised.

        Raises ``ProviderError`` or ``BudgetError`` when a student that may be asked fails.
        """
        base, head = (self._read(side, pair) for side in ("base", "head"))
        sides = [side for side in (base, head) if side is not None]
        if any(side.revision is None for side in sides):
            return self._told(pair, "unreadable", base, head)
        if base is None or head is None:
            told = self._told(pair, "deleted" if head is None else "added", base, head)
            return told if head is None else self._measured(told, base, head)
        changes = _changes(base, head)
        if not changes and not base.troubles and not head.troubles:
            return self._told(pair, "unchanged", base, head)
        return self._measured(self._told(pair, "changed", base, head, changes), base, head)

    def _read(self, side: SideName, pair: Pair) -> ReadSide | None:
        path = pair.base if side == "base" else pair.head
        if path is None:
            return None
        source = self.trees.base if side == "base" else self.trees.head
        return read_side(
            side,
            source,
            path,
            load=self.load,
            folder=self.templates,
            count_tokens=self.meter.count_tokens or (lambda _: None),
        )

    def _told(
        self,
        pair: Pair,
        state: State,
        base: ReadSide | None,
        head: ReadSide | None,
        changes: tuple[Change, ...] = (),
    ) -> RulebookDiff:
        sides = [side for side in (base, head) if side is not None]
        asks = state != "unchanged"
        return RulebookDiff(
            name=_name(pair, sides),
            state=state,
            base_path=pair.base,
            head_path=pair.head,
            changes=changes,
            base=base.facts(self.meter) if base and asks else None,
            head=head.facts(self.meter) if head and asks else None,
            troubles=tuple(trouble for side in sides for trouble in side.troubles),
            notes=_notes(changes),
            problems=self._problems(base, head) if asks else (),
        )

    def _problems(self, base: ReadSide | None, head: ReadSide | None) -> tuple[Problem, ...]:
        """Return what lint finds anew; nothing where a side has troubles, which are told."""
        if head is None or head.revision is None or not head.sound:
            return ()
        if base is None or base.sound:
            before = base.revision if base else None
            return new_problems(before, head.revision, approval=self.approval)
        return ()

    # -- measuring ------------------------------------------------------------------------------

    def _measured(self, told: RulebookDiff, base: ReadSide | None, head: ReadSide) -> RulebookDiff:
        """Add the verdict and the flipped examples, or why there are none."""
        assert head.revision is not None
        found = self._judge(told, base, head)
        if isinstance(found, str):
            return replace(told, unmeasured=found)
        flips = _flipped(found, told.changes, base, head)
        return replace(told, gate=found, flips=flips)

    def _judge(self, told: RulebookDiff, base: ReadSide | None, head: ReadSide) -> GateReport | str:
        """Return the gate's report on both sides' answers, or a sentence that says why not."""
        if told.head_path in self.verdicts:
            return self.verdicts[told.head_path]
        if self.answering is None:
            return self.unanswered
        if not (head.sound and (base is None or base.sound)):
            return "a side has problems, so what a student says of it would mean nothing"
        try:
            return self._gate(told, base, head, answering=self.answering)
        except RulebookError as error:
            said = "lint finds errors in head, so what a student says of it would mean nothing"
            return f"{said}: {error.problems[0]}"
        except PldgovError as error:
            is_absent = isinstance(error, StudentAbsentError)
            fails = isinstance(error, ProviderError | BudgetError) and not is_absent
            if fails and not self.answering.offline:
                raise
            is_unasked = isinstance(error, UnjudgedError) and self.answering.offline
            return f"{error.message}; --ask allows that" if is_unasked else str(error)

    def _gate(
        self, told: RulebookDiff, base: ReadSide | None, head: ReadSide, *, answering: Answering
    ) -> GateReport:
        assert head.revision is not None
        require_sound(head.revision)
        assert told.head_path is not None
        answering = replace(
            answering,
            recorded=self._recorded(told),
            student=pinned(self.trees.head, told.head_path, answering.student),
        )
        if base is None:
            reason = f"{told.head_path} is new since {self.trees.base.name}"
            return gate_without_base(head.revision, reason, answering=answering)
        return gate_against_revision(
            head.revision,
            self.trees.base,
            answering=answering,
            templates=self.templates,
            worktree=self.worktree,
            base_path=told.base_path,
        )

    def _recorded(self, told: RulebookDiff) -> Recorded:
        """Return the answers committed beside the rulebook on either side, or not yet committed."""
        found: Recorded = {}
        places = (
            (self.worktree, told.head_path),
            (self.trees.base, told.base_path),
            (self.trees.head, told.head_path),
        )
        for source, path in places:
            if path is not None:
                for key, answers in recorded_answers(source, path.rpartition("/")[0]).items():
                    found.setdefault(key, {}).update(answers)
        return found


def find_pairs(trees: Trees, *, under: Iterable[str]) -> tuple[Pair, ...]:
    """Return the rulebooks of both sides below any of the folders ``under``, paired."""
    base, head = (
        sorted({path for folder in under for path in find_rulebooks(source, under=folder)})
        for source in (trees.base, trees.head)
    )

    def reader(source: Source) -> Callable[[str], Rulebook | None]:
        return lambda path: parse_document(source.read(path), path=path).rulebook

    return pair_rulebooks(base, head, read_base=reader(trees.base), read_head=reader(trees.head))


def pairs_named(
    pairs: Sequence[Pair], places: Mapping[str, str | None], *, shallow: bool = False
) -> tuple[Pair, ...]:
    """Return the pairs that each name leads to, by folder name, path or folder on either side.

    ``places`` maps a name to the path that it could be, relative to the root. Raises
    ``UsageError`` for a name that leads to none.
    """
    found: dict[Pair, None] = {}
    for name, place in places.items():
        leads = [pair for pair in pairs if _leads_to(pair, name, place)]
        if not leads:
            known = sorted({_folder(path) for pair in pairs for path in _paths(pair)})
            cut_off = "the clone is shallow: fetch-depth: 0, or git fetch --unshallow"
            raise UsageError(
                "is neither a revision nor a rulebook of either side",
                where=name,
                hint=did_you_mean(name, known)
                or (cut_off if shallow else f"known are {', '.join(known) or 'none'}"),
            )
        found.update(dict.fromkeys(leads))
    return tuple(found)


def _leads_to(pair: Pair, name: str, place: str | None) -> bool:
    return any(
        name == _folder(path) or path == place or (place and path.startswith(f"{place}/"))
        for path in _paths(pair)
    )


def _paths(pair: Pair) -> list[str]:
    return [path for path in (pair.base, pair.head) if path is not None]


def _folder(path: str) -> str:
    return path.rpartition("/")[0].rpartition("/")[2]


def _name(pair: Pair, sides: Sequence[ReadSide]) -> str:
    named = [side.revision.rulebook.name for side in sides if side.revision is not None]
    return named[-1] if named else _folder(pair.head or pair.base or "")


def _changes(base: ReadSide, head: ReadSide) -> tuple[Change, ...]:
    assert base.revision is not None
    assert head.revision is not None
    return compare_revisions(
        base.revision,
        head.revision,
        base_rendered=base.rendered,
        head_rendered=head.rendered,
    )


def _notes(changes: Sequence[Change]) -> tuple[str, ...]:
    """Return what the changes mean beyond the prompt."""
    train = [
        change
        for change in changes
        if change.subject == "examples" and change.name == "train" and not change.reaches
    ]
    if not train:
        return ()
    return (
        "training examples changed: they are not in the prompt, but a student that is calibrated "
        "on them may decide otherwise",
    )


def _flipped(
    gate: GateReport, changes: Sequence[Change], base: ReadSide | None, head: ReadSide
) -> tuple[FlippedExample, ...]:
    """Return the flipped examples, each with the changed rules that it most concerns."""
    flips = gate.verdict.flips
    if not flips or base is None:
        return ()
    assert base.revision is not None
    assert head.revision is not None
    concerns = flip_concerns(gate, changes, base.revision, head.revision)
    return tuple(
        FlippedExample(flip, gate.texts.get(flip.example_id, ""), concerns[flip.example_id])
        for flip in flips
    )
