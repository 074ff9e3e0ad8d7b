"""The latency of a profile: fixed, between two bounds, or with a long tail."""

from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field, field_validator, model_validator

from bench.config.pydantic_types import Form, FromForm, Shorthand, key_of
from bench.config.scalars import DURATION, Duration, PositiveDuration
from bench.model.cases import Fixed, Latency, LogNormal, Uniform


class LogNormalForm(Form):
    """The long tail of real services, by the two figures that people know of theirs."""

    median: PositiveDuration = Field(description="Half of all answers take longer than this.")
    p99: PositiveDuration = Field(description="One answer of a hundred takes longer than this.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.p99 < self.median:
            raise ValueError("p99 is below the median")
        return self


class LatencyForm(Form):
    """How long the server waits before it answers: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fixed: Duration | None = Field(
        default=None, description="The same for every answer; `latency: 50ms` is short for it."
    )
    uniform: tuple[Duration, ...] | None = Field(
        default=None,
        description="Any latency between two bounds is as likely as any other.",
        json_schema_extra={"minItems": 2, "maxItems": 2, "examples": [["20ms", "80ms"]]},
    )
    lognormal: LogNormalForm | None = Field(default=None, description="The long tail of real services.")

    @field_validator("uniform")
    @classmethod
    def _two_bounds(cls, uniform: tuple[float, ...]) -> tuple[float, ...]:
        if len(uniform) != 2:  # noqa: PLR2004  a lower and an upper bound
            raise ValueError("must be two durations, the lowest and the highest")
        if uniform[0] > uniform[1]:
            raise ValueError("the lowest latency is above the highest")
        return uniform

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("must have exactly one of the keys fixed, uniform and lognormal")
        return self

    def latency(self) -> Latency:
        """Return the latency in the words of the model."""
        if self.uniform is not None:
            return Uniform(*self.uniform)
        if self.lognormal is not None:
            return LogNormal(self.lognormal.median, self.lognormal.p99)
        return Fixed(self.fixed or 0.0)


LatencyField: TypeAlias = Annotated[
    Latency, FromForm(LatencyForm, LatencyForm.latency), Shorthand(key_of("fixed"), DURATION)
]
