"""The gate's way to its base: evidence, a revision, or none; and what is absent on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pldgov.errors import NoBaseError, StudentAbsentError
from pldgov.students.pinned import PinnedStudent
from pldgov.workflows.gating import (
    blessed_evidence,
    gate_against_evidence,
    gate_against_revision,
    gate_without_base,
)
from pldgov.workflows.locking import pinned
from pldgov.workflows.unmeasured import gate_against_unread, gate_unasked, not_asked, not_measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from pldgov.evidence import Evidence
    from pldgov.gitrepo import Repository
    from pldgov.ports import Source, Student
    from pldgov.results import GateReport
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering


@dataclass(frozen=True)
class Judge:
    """Judges rulebooks of ``tree``, the working tree, against what a person or the settings chose.

    ``chosen`` is a git revision, or what names ``evidence``; None means where HEAD left the
    default branch. Without any history the base is then the blessed evidence beside the rulebook;
    without that the verdict is NO_BASELINE.
    """

    tree: Source
    open_repository: Callable[[], Repository]
    templates: str
    chosen: str | None = None
    evidence: Evidence | None = None

    def gate(self, head: Revision, *, answering: Answering) -> GateReport:
        """Judge a rulebook; without its examples, or its student, mostly NOT_MEASURED.

        Raises ``NoBaseError`` for a chosen base that is not there.
        """
        answering = replace(answering, student=self._pinned(head, answering))
        if head.absent:
            return self._without_examples(head, answering)
        try:
            return self._gate(head, answering)
        except StudentAbsentError as error:
            return self._without_student(head, answering, error)

    def _pinned(self, head: Revision, answering: Answering) -> Student:
        return pinned(self.tree, head.path, answering.student, nameless=True)

    def _gate(self, head: Revision, answering: Answering) -> GateReport:
        if self.evidence is not None:
            return _against_evidence(head, self.evidence, answering)
        try:
            with self.open_repository() as repository:
                return gate_against_revision(
                    head,
                    self._base(repository),
                    answering=answering,
                    templates=self.templates,
                    worktree=self.tree,
                )
        except NoBaseError as error:
            if self.chosen:
                raise  # a base that was asked for and is not there is no first run
            blessed = blessed_evidence(self.tree, head.folder, answering.card.name)
            if blessed is not None:
                return _against_evidence(head, blessed, answering)
            return gate_without_base(head, str(error), answering=answering)

    def _without_examples(self, head: Revision, answering: Answering) -> GateReport:
        if self.evidence is not None:
            return not_measured(head, answering=answering)
        try:
            with self.open_repository() as repository:
                return gate_against_unread(
                    head,
                    self._base(repository),
                    answering=answering,
                    templates=self.templates,
                    worktree=self.tree,
                )
        except NoBaseError:
            if self.chosen:
                raise
            return not_measured(head, answering=answering)

    def _without_student(
        self, head: Revision, answering: Answering, error: StudentAbsentError
    ) -> GateReport:
        if self.evidence is not None:
            return not_asked(head, error, answering=answering)
        try:
            with self.open_repository() as repository:
                return gate_unasked(
                    head,
                    self._base(repository),
                    error,
                    answering=answering,
                    templates=self.templates,
                    worktree=self.tree,
                )
        except NoBaseError:
            return not_asked(head, error, answering=answering)

    def _base(self, repository: Repository) -> Source:
        return repository.tree(self.chosen) if self.chosen else repository.merge_base()


def _against_evidence(head: Revision, evidence: Evidence, answering: Answering) -> GateReport:
    if isinstance(answering.student, PinnedStudent):
        answering.student.require_known()  # else whether the evidence is its own cannot be told
    return gate_against_evidence(head, evidence, answering=answering)
