"""What ``[tool.pldgov.students.<name>]`` may say, whatever the kind of student."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pldgov.options import parse_table
from pldgov.results import CalibrationMethod, DecisionPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

Probability = Annotated[float, Field(ge=0, le=1)]


class StudentOptions(BaseModel):
    """The settings that every kind of student shares; each kind adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    calibration: CalibrationMethod = "none"
    calibration_examples: int = Field(default=128, ge=1)
    thresholds: dict[str, Probability] = Field(default_factory=dict)
    abstain_below: Probability = 0.0

    @property
    def policy(self) -> DecisionPolicy:
        """How this student's scores become labels."""
        return DecisionPolicy(
            calibration=self.calibration,
            calibration_examples=self.calibration_examples,
            thresholds=self.thresholds,
            abstain_below=self.abstain_below,
        )


Options = TypeVar("Options", bound=StudentOptions)


def parse_options(model: type[Options], name: str, options: Mapping[str, Any]) -> Options:
    """Return the options of student ``name`` as ``model``.

    Raises ``UsageError`` that lists every option that is unknown or does not fit.
    """
    return parse_table(model, options, where=f"[tool.pldgov.students.{name}]")
