"""The run itself: phase after phase, each a function of what is recorded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pldgov.distill.candidates import RuleSet, best_of
from pldgov.distill.conflicts import find_conflicts
from pldgov.distill.extract import extract
from pldgov.distill.placing import Placing
from pldgov.distill.planning import plan_requests
from pldgov.distill.prompts import TeacherPrompts
from pldgov.distill.pruning import (
    Pruned,
    choose_exemplars,
    choose_layout,
    choose_order,
    grow,
    prune,
)
from pldgov.distill.sampling import sample_examples
from pldgov.distill.scoping import by_value
from pldgov.distill.synthesize import synthesize
from pldgov.errors import DataError, UsageError
from pldgov.results import READS_GOLD
from pldgov.workflows.consulting import consult
from pldgov.workflows.distilling.drawing import Drawn, clustering_notes, joined
from pldgov.workflows.distilling.grouping import Grouping, usable_clusterings
from pldgov.workflows.distilling.judging import CandidateJudge, Deciding
from pldgov.workflows.distilling.learning import learning_splits
from pldgov.workflows.distilling.outcome import Awaited, Outcome, PauseError
from pldgov.workflows.distilling.rounds import Resolving, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.candidates import Judged, Layout
    from pldgov.distill.model import (
        Clustering,
        Conflict,
        DraftRule,
        Finding,
        MicroInstruction,
        Phase,
        Step,
    )
    from pldgov.distill.scoping import Kind
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule
    from pldgov.workflows.distilling.doors import Doors
    from pldgov.workflows.distilling.rounds import Round
    from pldgov.workflows.distilling.settings import DistillSettings

PHASES: tuple[Phase, ...] = ("extract", "synthesize", "resolve")


@dataclass
class Distillation:
    """One run on one rulebook."""

    revision: Revision
    settings: DistillSettings
    run_id: str
    doors: Doors
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        """Split the rulebook into people's rules, which stay, and distilled ones, which do not."""
        rulebook = self.revision.rulebook
        self.kept = kept_rules(rulebook.rules)
        self.train, self.validation, note = learning_splits(
            self.revision, kept=self.kept, seed=self.settings.seed
        )
        self.notes += [note] if note else []
        self.by_id = {example.id: example for example in self.train}
        templates, folder = self.revision.templates, "templates"
        self.prompts = TeacherPrompts(
            templates,
            task=rulebook.task,
            title=rulebook.title,
            folder=folder,
            rule_words=self.settings.rule_words,
            scope=self.settings.scope,
            cues=self._cue_field(),
            deciding=self.settings.cue_kind == "deciding",
            cue_words=self.settings.cue_words,
        )

    def run(self) -> Outcome:
        """Go as far as the replies go; the outcome says whether that is all the way."""
        try:
            return self._run()
        except PauseError as pause:
            return replace(self._outcome(), awaited=pause.awaited)

    def _run(self) -> Outcome:
        sample = self._sample()
        instructions = self._extract(sample)
        sets = self._synthesize(instructions)
        self.judge = self._judge()
        start, first = self._compare(sets)
        resolved, rounds = resolve(
            start,
            Resolving(
                settings=self.settings,
                judge=self.judge,
                prompts=self.prompts,
                archive=self.doors.archive("resolve"),
                consult=self._consult,
                conflicts=self._conflicts,
                examples=self.by_id,
            ),
        )
        pruned = self._prune(resolved)
        best = self._choose(pruned)
        self.figures["conflicts after synthesis"] = len(self._conflicts(first.rule_set))
        self.figures["conflicts at the end"] = len(self._conflicts(best.rule_set))
        self.figures["rules at the end"] = len(best.rule_set.rules)
        return self._outcome(first=first, best=best, rounds=rounds, pruned=pruned)

    # -- data -----------------------------------------------------------------------------------

    def _sample(self) -> tuple[Example, ...]:
        settings = self.settings
        return sample_examples(
            self.train,
            settings.examples,
            seed=settings.seed,
            balanced=settings.balanced,
            by=settings.stratify,
        )

    def _cue_field(self) -> str | None:
        field = self.settings.cues
        if field is not None and field not in self.revision.rulebook.task.inputs:
            known = ", ".join(self.revision.rulebook.task.inputs)
            raise UsageError(
                f"the task has no input {field!r}", where="cues", hint=f"inputs: {known}"
            )
        return field

    # -- the teacher ----------------------------------------------------------------------------

    def _consult(self, phase: Phase, run: Callable[[], Step[Any]]) -> tuple[Any, ...]:
        step = run()
        if not step.done:
            step = self._ask_teacher(phase, run, step)
        self.findings += step.findings
        return step.result

    def _ask_teacher(
        self, phase: Phase, run: Callable[[], Step[Any]], step: Step[Any]
    ) -> Step[Any]:
        teacher = self.doors.teacher(phase)
        plan = plan_requests(phase, step.requests, recorded=step.usage, price=teacher.price)
        self.doors.plan(plan)
        if self.doors.dry_run:
            raise PauseError(Awaited(phase, len(step.requests), (), plan))
        archive = self.doors.archive(phase)
        done = consult(run, teacher=teacher, archive=archive, progress=self.doors.progress)
        if not done.step.done:
            missing = len(done.step.requests)
            raise PauseError(Awaited(phase, missing, (*done.step.findings, *done.findings)))
        self.findings += done.findings
        return done.step

    # -- phases ---------------------------------------------------------------------------------

    def _extract(self, sample: Sequence[Example]) -> tuple[MicroInstruction, ...]:
        def run() -> Step[MicroInstruction]:
            return extract(
                sample,
                prompts=self.prompts,
                archive=self.doors.archive("extract"),
                per_request=self.settings.examples_per_request,
            )

        instructions = self._consult("extract", run)
        if not instructions:
            raise DataError("no answer of the teacher could be used", where="extraction")
        self.figures["extracted from"] = len(sample)
        self.figures["instructions"] = len(instructions)
        return instructions

    def _synthesize(self, instructions: Sequence[MicroInstruction]) -> tuple[Drawn, ...]:
        grouping = self._grouping()
        kinds: tuple[Kind, ...] = ()
        if self.settings.scope is None:
            tried = grouping.clusterings(instructions)
            self.notes += clustering_notes(tried)
            chosen = usable_clusterings(tried, outliers=self.settings.outliers)
        else:
            clustering, kinds = by_value(instructions, field=self.settings.scope, train=self.train)
            chosen = (clustering,)

        def run() -> Step[Drawn]:
            return joined([(each, self._draw(each, instructions, kinds)) for each in chosen])

        drawn = self._consult("synthesize", run)
        context = [one.instruction for one in instructions]
        usable = tuple(self._distinct(one, grouping, context) for one in drawn if one.rules)
        usable = tuple(one for one in usable if one.rules)
        if not usable:
            raise DataError("no answer of the teacher could be used", where="synthesis")
        return usable

    def _distinct(self, drawn: Drawn, grouping: Grouping, context: Sequence[str]) -> Drawn:
        rules, merged = grouping.distinct(drawn.rules, kept=self.kept, context=context)
        return replace(drawn, rules=rules, merged=merged)

    def _grouping(self) -> Grouping:
        doors = self.doors
        return Grouping(self.settings, doors.recording, doors.embedder, doors.embedder_key)

    def _draw(
        self,
        clustering: Clustering,
        instructions: Sequence[MicroInstruction],
        kinds: Sequence[Kind],
    ) -> Step[tuple[DraftRule, ...]]:
        return synthesize(
            clustering,
            instructions,
            examples=self.train,
            prompts=self.prompts,
            archive=self.doors.archive("synthesize"),
            candidates=self.settings.candidates,
            max_per_request=self.settings.instructions_per_request,
            outliers=self.settings.outliers,
            taken={rule.id for rule in self.kept},
            kinds=kinds,
        )

    def _judge(self) -> CandidateJudge:
        rulebook = self.revision.rulebook
        deciding = Deciding.of(
            self.settings.student,
            recording=self.doors.recording,
            ask=self.doors.ask,
            recorded=self.doors.recorded,
            dry_run=self.doors.dry_run,
        )
        method = deciding.card.policy.calibration
        if self.settings.judge_on_train and method in READS_GOLD:
            raise UsageError(
                f'student {self.settings.student!r} is calibrated ("{method}") on the gold labels '
                "of training examples, so they cannot judge it",
                where="judge_on_train",
                hint="leave judge_on_train out, or calibrate by label-prior",
            )
        return CandidateJudge(
            rulebook=rulebook,
            templates=self.revision.templates,
            train=self.train,
            validation=self.validation,
            kept=self.kept,
            placing=Placing(
                archive=self.doors.archive("resolve"),
                examples=self.by_id,
                prompts={phase: self.prompts.digest(phase) for phase in PHASES},
                run_id=self.run_id,
                owner=rulebook.owner,
            ),
            deciding=deciding,
            known=self.revision.split("train"),
            on_train=self.settings.judge_on_train,
            most_calls=self.settings.max_student_calls,
        )

    def _compare(self, sets: Sequence[Drawn]) -> tuple[Judged, Judged]:
        """Return the best set in its best layout, where the rounds start; and once more to report.

        Layouts are compared on the first set, so that a student that hardly reads rules, but
        follows exemplars, is given those before anything is decided by what it says.
        """
        first, *others = self.settings.layouts
        judged: list[Judged] = []
        layout = first
        for drawn in sets:
            self.judge.placing.phases |= {rule.request: "synthesize" for rule in drawn.rules}
            rules = RuleSet(drawn.rules, layout)
            one = self.judge.fitting(rules, step=f"synthesis: {drawn.name}")
            if not judged:
                one = self._best_layout(one, others, rules)
                layout = one.rule_set.layout
            judged.append(one)
        best = best_of(judged)
        self.without_rules = self.judge(RuleSet((), layout), step="without distilled rules")
        if best is None:
            raise DataError(
                f"no candidate could be measured: {judged[0].refused}", where="synthesis"
            )
        drawn = sets[judged.index(best)]
        left = len(drawn.rules) - len(best.rule_set.rules)
        if left:
            self.notes.append(f"{left} rules were left out to keep the prompt within its budget")
        self.figures |= {
            "clusters": drawn.clusters,
            "outliers": drawn.outliers,
            "duplicates merged": drawn.merged,
            "rules after synthesis": len(drawn.rules),
        }
        return self._grown(best) if self.settings.grow else best, best

    def _grown(self, best: Judged) -> Judged:
        """Return the set grown from few rules where that is better than the whole set."""
        judge = self.judge
        grown = grow(
            best.rule_set,
            self.without_rules,
            judge=judge,
            affordable=judge.affordable,
            layouts=self.settings.layouts,
        )
        if not grown.rule_set.rules:
            self.notes.append("grown from nothing: no rule alone raised macro-F1")
            return best
        return grown if grown.beats(best) else best

    def _conflicts(self, rule_set: RuleSet) -> tuple[Conflict, ...]:
        """Return what does not go together among people's rules and those of a candidate."""
        return find_conflicts(
            (*self.kept, *rule_set.rules),
            gold={example.id: example.label for example in self.train},
            labels=self.revision.rulebook.labels,
        )

    def _prune(self, start: Judged) -> Pruned:
        judge, labels = self.judge, self.revision.rulebook.labels
        pruned = Pruned(start)
        if self.settings.prune:
            pruned = prune(start, judge=judge, affordable=judge.affordable)
        best = choose_order(pruned.best, labels, judge=judge, affordable=judge.affordable)
        best = self._best_layout(best, self.settings.layouts)
        swaps = self.settings.exemplar_swaps
        best = choose_exemplars(best, swaps, judge=judge, affordable=judge.affordable)
        return replace(pruned, best=best)

    def _best_layout(
        self, start: Judged, layouts: Sequence[Layout], rules: RuleSet | None = None
    ) -> Judged:
        judge, afford = self.judge.fitting, self.judge.affordable
        return choose_layout(start, layouts, judge=judge, affordable=afford, rules=rules)

    def _choose(self, pruned: Pruned) -> Judged:
        """Return the best of all candidates that have rules."""
        tried = [one for one in self.judge.archive if one.rule_set.rules]
        best = best_of((pruned.best, *tried)) or pruned.best
        if not best.beats(self.without_rules):
            self.notes.append(
                "on validation the rules do no better than the prompt without them "
                f"({best.macro_f1:.3f} against {self.without_rules.macro_f1:.3f})"
            )
        return best

    # -- the outcome ----------------------------------------------------------------------------

    def _outcome(
        self,
        *,
        first: Judged | None = None,
        best: Judged | None = None,
        rounds: tuple[Round, ...] = (),
        pruned: Pruned | None = None,
    ) -> Outcome:
        return Outcome(
            run_id=self.run_id,
            settings=self.settings,
            judge=getattr(self, "judge", None),
            first=first,
            best=best,
            rounds=rounds,
            pruned=pruned,
            usage=self.doors.usage(),
            figures=dict(self.figures),
            findings=tuple(dict.fromkeys(self.findings)),
            notes=tuple(self.notes),
        )


def kept_rules(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules of people: all whose present wording is not a teacher's."""
    return tuple(
        rule for rule in rules if rule.provenance is None or rule.provenance.origin != "distilled"
    )
