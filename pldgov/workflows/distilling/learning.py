"""The examples that a run may learn from: train, and validation to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.data.splitting import split_examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule

VALIDATION_SHARE = 0.25
"""Of the train split, where the rulebook has no validation split of its own."""


def learning_splits(
    revision: Revision, *, kept: Sequence[Rule], seed: int
) -> tuple[tuple[Example, ...], tuple[Example, ...], str | None]:
    """Return train and validation, and what is to be told of them.

    Validation is cut from train where there is none, without what people's rules (``kept``) cite.
    """
    train = revision.split("train")
    if "validation" in revision.splits:
        return train, revision.split("validation"), None
    cited = {cite.id for rule in kept if rule.provenance for cite in rule.provenance.examples}
    fractions = {"train": 1 - VALIDATION_SHARE, "validation": VALIDATION_SHARE}
    parts = split_examples(train, fractions=fractions, seed=seed)  # type: ignore[arg-type]
    validation = tuple(one for one in parts["validation"] if one.id not in cited)
    held = {one.id for one in validation}
    note = (
        f"the rulebook has no validation split: {len(validation)} of {len(train)} training "
        "examples were set apart for it"
    )
    return tuple(one for one in train if one.id not in held), validation, note
