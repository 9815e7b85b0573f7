"""The teacher's prompts: templates of the rulebook's own repository, rendered and digested.

A phase ``p`` has a system message (``teacher/p.j2``) and a user message (``teacher/p_input.j2``);
``teacher/again.j2`` is what an answer that cannot be used is sent back with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pldgov.fingerprint import digest_text, digest_value
from pldgov.prompt import ShownLabel, ShownTask
from pldgov.templating import PromptEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.distill.model import Phase
    from pldgov.questions import Message
    from pldgov.rulebook.model import Task

AGAIN: Final = "teacher/again.j2"


class TeacherPrompts:
    """Renders what teachers are told about one task.

    ``templates`` maps every template's path below the templates folder to its text; ``folder`` is
    what messages call that folder. ``rule_words`` is the most words of a rule that a teacher
    writes, None for no limit. ``scope`` is the input field whose values have rules of their
    own (``teacher/synthesize_scoped.j2``); ``cues`` asks for the words of that input field with
    which each rule is to be shown (``teacher/synthesize_cued.j2``): words of its topic, or with
    ``deciding`` phrases that settle the label (``teacher/synthesize_deciding.j2``). With both, a
    kind has a rule for all its inputs and others by phrases
    (``teacher/synthesize_scoped_cued.j2``).
    """

    def __init__(
        self,
        templates: Mapping[str, str],
        *,
        task: Task,
        title: str,
        folder: str = "templates",
        rule_words: int | None = None,
        scope: str | None = None,
        cues: str | None = None,
        deciding: bool = False,
        cue_words: int = 1,
    ) -> None:
        self._templates = templates
        self._environment = PromptEnvironment(templates, folder=folder)
        self._systems: dict[Phase, str] = {}
        self.task = task
        self.title = title
        self.rule_words = rule_words
        self.scope = scope
        self.cues = cues
        self.deciding = deciding
        self.cue_words = cue_words
        cued = "_deciding" if deciding and not scope else "_cued"
        self._variant = ("_scoped" if scope else "") + (cued if cues else "")

    def messages(self, phase: Phase, variables: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the system message of a phase and its user message with ``variables``.

        Raises ``TemplateError``.
        """
        if phase not in self._systems:
            self._systems[phase] = self._render(f"{self._root(phase)}.j2", self._about(phase))
        return (
            {"role": "system", "content": self._systems[phase]},
            {"role": "user", "content": self._render(f"{self._root(phase)}_input.j2", variables)},
        )

    def again(self, variables: Mapping[str, Any]) -> str:
        """Return the message that sends an answer back."""
        return self._render(AGAIN, variables)

    def digest(self, phase: Phase) -> str:
        """Return the digest over all templates of a phase: what provenance cites."""
        roots = (f"{self._root(phase)}.j2", f"{self._root(phase)}_input.j2", AGAIN)
        names = sorted({name for root in roots for name in self._environment.templates_used(root)})
        texts = [[name, digest_text(self._templates[name].replace("\r\n", "\n"))] for name in names]
        return digest_value(texts)

    def _root(self, phase: Phase) -> str:
        return f"teacher/{phase}{self._variant if phase == 'synthesize' else ''}"

    def _about(self, phase: Phase) -> dict[str, Any]:
        labels = self.task.labels.items()
        length = {} if phase == "extract" else {"rule_words": self.rule_words}
        asked: dict[str, Any] = {}
        if phase == "synthesize" and self.cues:
            asked["field"] = self.cues
        elif phase == "synthesize" and self.scope:
            asked["fields"] = tuple(name for name in self.task.inputs if name != self.scope)
        return {
            "task": ShownTask(title=self.title, instruction=self.task.instruction.strip()),
            "labels": tuple(ShownLabel(name, text) for name, text in labels),
            **length,
            **asked,
        }

    def _render(self, name: str, variables: Mapping[str, Any]) -> str:
        return self._environment.render(name, variables)[0].strip()
