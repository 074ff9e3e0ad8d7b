"""Read the key ``blocks``: an exact number, or a range in which ``precision`` and ``budget`` decide."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from bench.config.forms import Editor, FieldError, Form, FromForm, Shorthand, key, under_key
from bench.config.scalars import whole, whole_editor
from bench.model.cases import Stopping

_LIMIT: Final = 1000
_LEAST_FOR_INTERVAL: Final = 6
"""Blocks that a 95 % interval of the median needs."""
_USUAL_LEAST: Final = 8
"""Blocks of a case if the config does not say: enough for an interval that is of some use."""
_USUAL_MOST: Final = 10
_USUAL_MOST_WITH_PRECISION: Final = 64

_ENOUGH: Final = {"minimum": _LEAST_FOR_INTERVAL, "maximum": _LIMIT}
RANGE_NEEDS_STOPPING: Final[Editor] = {
    "if": {"properties": {"blocks": {"type": "object", "required": ["min"]}}, "required": ["blocks"]},
    "then": {"anyOf": [{"required": ["precision"]}, {"required": ["budget"]}]},
}
"""Tells an editor that ``min`` needs ``precision`` or ``budget``."""
PRECISION_NEEDS_INTERVAL: Final[Editor] = {
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
"""Tells an editor that with ``precision`` the least number of blocks must be enough for an interval."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The least and the most blocks of a case; ``least`` is ``None`` if the config does not say."""

    least: int | None
    most: int


class BlocksForm(Form):
    """A range of blocks, within which `precision` and `budget` decide."""

    min: Annotated[int, whole(1, _LIMIT)] | None = key(
        None,
        "Blocks in which every case is run, even beyond the budget; needs `precision` or `budget`. If left "
        "out 8, or `max` if that is less; with `precision` at least 6.",
    )
    max: Annotated[int, whole(1, _LIMIT)] = key(
        ..., "Blocks after which every case ends; `blocks: 20` is short for it."
    )

    def blocks(self) -> Blocks:
        """Return the range."""
        return Blocks(self.min, self.max)


BlocksField: TypeAlias = Annotated[
    Blocks, FromForm(BlocksForm, BlocksForm.blocks), Shorthand(under_key("max"), whole_editor(1, _LIMIT))
]


def usual_blocks(precision: float | None) -> Blocks:
    """Return the blocks of a config without the key."""
    return Blocks(None, _USUAL_MOST if precision is None else _USUAL_MOST_WITH_PRECISION)


def stopping_rule(blocks: Blocks, precision: float | None, budget_s: float | None) -> Stopping | None:
    """Return the rule that ends a case early, or None without precision and budget."""
    if precision is None and budget_s is None:
        return None
    least = min(_USUAL_LEAST, blocks.most) if blocks.least is None else blocks.least
    return Stopping(least, precision, budget_s)


def check_blocks(blocks: Blocks, precision: float | None) -> list[FieldError]:
    """Find bounds that contradict each other, or are too few for an interval."""
    if blocks.least is not None and blocks.least > blocks.most:
        return [FieldError(("min",), "is above max")]
    key, least = ("max", blocks.most) if blocks.least is None else ("min", blocks.least)
    if precision is not None and least < _LEAST_FOR_INTERVAL:
        what = f"must be at least {_LEAST_FOR_INTERVAL} with 'precision', which needs an interval"
        return [FieldError((key,), what)]
    return []
