"""Define the base class and annotations that read a config with pydantic. Each module of keys uses them.

Every value arrives as text, a list or a mapping. ``Text`` reads a scalar with a plain function, ``Named``
looks one up in the ``LookupContext``, ``FromForm`` converts a form to a value of the model, ``Shorthand``
expands a short spelling, and ``OneOrMore`` reads a list that may be a single item.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from bench.config.problems import Step, Steps

Editor: TypeAlias = dict[str, Any]
"""A piece of JSON Schema, by which an editor completes and checks a config."""

FIELD_ERRORS: Final = "field_errors"
"""The type of pydantic's error that carries a tuple of ``FieldError``."""
DUPLICATE: Final = object()
"""Replaces a duplicate list item, so that its validation fails with ``IS_DUPLICATE``."""
IS_DUPLICATE: Final = "is a duplicate; remove it"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FieldError:
    """A mistake within a value, at the steps that lead from the value to it.

    Attributes:
        at_key: whether the last step, a key, is itself wrong, and not the value under it.
    """

    steps: Steps
    what: str
    at_key: bool = False

    def below(self, step: Step) -> "FieldError":
        """Return the error as seen from the value that holds this one at ``step``."""
        return replace(self, steps=(step, *self.steps))


def reject(errors: Sequence[FieldError]) -> None:
    """Raise an error that pydantic collects if a check found any mistakes."""
    if errors:
        raise PydanticCustomError(FIELD_ERRORS, "several errors", {"errors": tuple(errors)})


class Form(BaseModel):
    """A mapping in a config; other keys than its fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def key(default: Any, description: str, /, **editor: Any) -> Any:
    """Define a field of a form by its default and description.

    A default that is text or a list is read as in YAML; others are values. ``...`` makes the key required.
    ``editor`` is added to the field's JSON Schema.
    """
    return Field(
        default=default,
        validate_default=isinstance(default, str | list),
        description=description,
        json_schema_extra=editor or None,
    )


# The annotations compare by identity (eq=False): typing hashes them, and schemas are not hashable


@dataclass(frozen=True, eq=False)
class Text:
    """Reads a field from one scalar; ``read`` raises ``ValueError`` with the end of a message."""

    read: Callable[..., object]
    editor: Editor

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda value: self.read(expect_scalar(value)))

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> Editor:
        return dict(self.editor)


@dataclass(frozen=True, eq=False)
class Named(Text):
    """Reads a field from one scalar with ``read(context, text)``; the context is a ``LookupContext``."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            lambda value, info: self.read(info.context, expect_scalar(value))
        )


@dataclass(frozen=True, eq=False)
class FromForm:
    """Reads a value of the model from a form, or from the values of an annotated type."""

    form: Any
    convert: Callable[[Any], object]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.convert, handler.generate_schema(self.form))


@dataclass(frozen=True, eq=False)
class Shorthand:
    """Expands a short spelling of a value to the long one.

    ``editor`` describes the short form; ``None`` stands for one item of the list.
    """

    expand: Callable[[Any], object]
    editor: Editor | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Editor:
        long = handler(schema)
        if long.get("type") == "array":
            long |= {"minItems": 1, "uniqueItems": True}
        short = long["items"] if self.editor is None else self.editor
        return {"anyOf": [short, long]}


def under_key(key: str) -> Callable[[object], object]:
    """Return a function that expands a scalar to a mapping with one key."""
    return lambda value: {key: value} if isinstance(value, str) else value


def one_or_more(value: object) -> list[object]:
    """Expand ``5`` to ``[5]``, and replace duplicates in a list."""
    items = value if isinstance(value, list) else [value]
    first: dict[str, int] = {}
    return [
        item if first.setdefault(repr(item), index) == index else DUPLICATE
        for index, item in enumerate(items)
    ]


def refuse_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    """Raise an error if a list has no items."""
    if not values:
        raise ValueError("must not be empty")
    return values


OneOrMore: TypeAlias = Annotated[tuple[T, ...], AfterValidator(refuse_empty), Shorthand(one_or_more)]


def expect_scalar(value: object) -> str:
    """Return a value that must be a scalar."""
    if isinstance(value, str):
        return value
    if value is DUPLICATE:
        raise ValueError(IS_DUPLICATE)
    raise ValueError(f"must be a single value, not {describe_shape(value)}")


def describe_shape(value: object) -> str:
    """Name the kind of YAML node that a value was written as."""
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else "a single value"
