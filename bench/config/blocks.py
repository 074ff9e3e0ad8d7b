"""In how many blocks a config has its cases run: exactly, or until they have been run often enough."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from bench.config.pydantic_types import Editor, FieldError, Form, FromForm, Shorthand, key_of
from bench.config.scalars import whole, whole_editor
from bench.model.cases import Stopping

_MAX: Final = 1000
_INTERVAL: Final = 6
"""An interval of the median, at 95 %, takes so many."""

_LEAST: Final = 8
"""What a case is run in, where the config has no opinion: enough for an interval that is of some use."""
_MOST: Final = 64
_PLAIN: Final = 10

_ENOUGH: Final = {key: told for key, told in whole_editor(_INTERVAL, _MAX).items() if key != "type"}
RANGED: Final[Editor] = {
    "if": {"properties": {"blocks": {"type": "object", "required": ["min"]}}, "required": ["blocks"]},
    "then": {"anyOf": [{"required": ["precision"]}, {"required": ["budget"]}]},
}
"""What an editor is told of a range: something must say where in it to stop."""
BEARS_INTERVAL: Final[Editor] = {
    "if": {"required": ["precision"]},
    "then": {
        "properties": {
            "blocks": {
                **_ENOUGH,
                "if": {"required": ["min"]},
                "then": {"properties": {"min": _ENOUGH}},
                "else": {"properties": {"max": _ENOUGH}},
            }
        }
    },
}
"""What an editor is told of precision: the least number of blocks must bear an interval."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The range that a config leaves to a run.

    Attributes:
        least: ``None`` where it does not say.
    """

    least: int | None
    most: int

    def stopping(self, precision: float | None, budget_s: float | None) -> Stopping | None:
        """Return when a case has been run often enough; ``None`` if that does not depend on anything."""
        if precision is None and budget_s is None:
            return None
        return Stopping(min(_LEAST, self.most) if self.least is None else self.least, precision, budget_s)


class BlocksForm(Form):
    """A range of blocks, within which `precision` and `budget` decide."""

    min: Annotated[int, whole(1, _MAX)] | None = Field(
        default=None, description="Every case is run so often, even beyond the budget; 8 if left out."
    )
    max: Annotated[int, whole(1, _MAX)] = Field(description="No case is run more often.")

    def blocks(self) -> Blocks:
        """Return the range."""
        return Blocks(self.min, self.max)


BlocksField: TypeAlias = Annotated[
    Blocks, FromForm(BlocksForm, BlocksForm.blocks), Shorthand(key_of("max"), whole_editor(1, _MAX))
]


def usual_blocks(precision: float | None) -> Blocks:
    """Return the range of a config that does not say."""
    return Blocks(None, _PLAIN if precision is None else _MOST)


def unfit(blocks: Blocks, precision: float | None) -> list[FieldError]:
    """Find bounds that contradict each other, or bear no interval where one is asked for."""
    if blocks.least is not None and blocks.least > blocks.most:
        return [FieldError(("min",), "is above max")]
    key, least = ("max", blocks.most) if blocks.least is None else ("min", blocks.least)
    if precision is not None and least < _INTERVAL:
        what = f"must be at least {_INTERVAL} with 'precision': an interval takes so many blocks"
        return [FieldError((key,), what)]
    return []
