"""What a rendered prompt takes: its tokens, and what they cost at a volume."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pldgov.diff_report import PromptFacts
from pldgov.errors import PldgovError
from pldgov.prompt import count_prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.dataset import Example
    from pldgov.prompt import PromptBuilder, RenderedPrompt

    CountTokens = Callable[[str], int | None]

BYTES_PER_TOKEN: Final = 4
"""Of English text under the usual tokenizers; where a tokenizer is at hand it counts instead."""

PER_MILLION: Final = 1_000_000
MOST_EXAMPLES = 500
"""So many gate examples stand for all of them when the mean length is taken."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in one currency."""

    input: float
    output: float


@dataclass(frozen=True)
class Meter:
    """How tokens are counted, and for which volume (examples a year) and prices."""

    count_tokens: CountTokens | None = None
    volume: int | None = None
    prices: Prices | None = None

    def facts(
        self, rendered: RenderedPrompt, builder: PromptBuilder, gate_set: Sequence[Example]
    ) -> PromptFacts:
        """Return what a prompt takes; with a volume also what an example and a year take."""
        tokens = self._count(rendered)
        counted = tokens is not None
        count = self.count_tokens if counted and self.count_tokens else estimate_tokens
        if tokens is None:
            tokens = count_prompt_tokens(rendered.prompt, estimate_tokens)
        facts = PromptFacts(
            digest=rendered.prompt.digest,
            rules=len(rendered.rules),
            trimmed=rendered.trimmed,
            tokens=tokens,
            counted=counted,
        )
        if self.volume is None or not gate_set:
            return facts
        texts = [builder.user_text(example) for example in gate_set[:MOST_EXAMPLES]]
        asked, said = (
            statistics.fmean(count(text) or 0 for text in some)
            for some in (texts, rendered.prompt.labels)
        )
        return self._with_year(facts, asked, said)

    def _with_year(self, facts: PromptFacts, asked: float, said: float) -> PromptFacts:
        volume, tokens = self.volume or 0, facts.tokens or 0
        cost = None
        if self.prices is not None:
            each = (tokens + asked) * self.prices.input + said * self.prices.output
            cost = volume * each / PER_MILLION
        return PromptFacts(
            digest=facts.digest,
            rules=facts.rules,
            trimmed=facts.trimmed,
            tokens=facts.tokens,
            counted=facts.counted,
            example_tokens=asked,
            answer_tokens=said,
            yearly_tokens=round(volume * (tokens + asked + said)),
            yearly_cost=cost,
        )

    def _count(self, rendered: RenderedPrompt) -> int | None:
        """Return the student's own count, None where it has no tokenizer on this machine."""
        if self.count_tokens is None:
            return None
        try:
            return count_prompt_tokens(rendered.prompt, self.count_tokens)
        except PldgovError:
            return None


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, by its bytes."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
