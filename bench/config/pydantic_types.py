"""How pydantic reads what a config's keys hold, and what it tells an editor about them.

Everything arrives as text. ``Text`` reads one scalar with a plain function, ``Named`` looks one up in
the offer, ``Through`` reads a value by way of a form, ``Short`` allows a shorter way of writing it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

from bench.config.lookup import LookupContext
from bench.config.yaml_tree import Steps

Editor: TypeAlias = dict[str, Any]
"""A piece of JSON Schema: what an editor completes and checks while someone types."""

SEVERAL: Final = "several"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with a part of a value, by the steps that lead from the value to the part.

    Attributes:
        of_key: whether the last step, a key, is itself at fault, and not what stands under it.
    """

    steps: Steps
    what: str
    of_key: bool = False


def reject(faults: Sequence[FieldError]) -> None:
    """Raise all the faults that a check has found with the parts of a value, if any."""
    if faults:
        raise PydanticCustomError(SEVERAL, "several faults", {"faults": tuple(faults)})


class Duplicate:
    """Stands in a list for an item that was there before, so that whatever reads the item says so."""

    what = "is there twice"


class Form(BaseModel):
    """A mapping of a config: no key but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, eq=False)
class Text:
    """Read a field from one scalar; ``read`` raises ``ValueError`` in words that end a message."""

    read: Callable[[str], object]
    editor: Editor

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda value: self.read(scalar(value)))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> Editor:
        return dict(self.editor)


@dataclass(frozen=True, eq=False)
class Named:
    """Look one scalar up in the offer, which is the context of the validation."""

    find: Callable[[LookupContext, str], object]
    editor: Editor

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        def find(value: object, info: ValidationInfo[LookupContext]) -> object:
            return self.find(info.context, scalar(value))

        return core_schema.with_info_plain_validator_function(find)

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> Editor:
        return dict(self.editor)


@dataclass(frozen=True, eq=False)
class FromForm:
    """Read a value of the model from the form in which it is written."""

    form: Any
    convert: Callable[[Any], object]

    def __get_pydantic_core_schema__(
        self, _source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.convert, handler.generate_schema(self.form))


@dataclass(frozen=True, eq=False)
class Shorthand:
    """Let a value be written short: ``expand`` turns the short form into the long one.

    ``editor`` describes the short form; ``None`` takes a list's own items for it.
    """

    expand: Callable[[Any], object]
    editor: Editor | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Editor:
        long = handler(schema)
        if long.get("type") == "array":
            long |= {"minItems": 1, "uniqueItems": True}
        short = long["items"] if self.editor is None else self.editor
        return {"anyOf": [short, long]}


def scalar(value: object) -> str:
    """Return a value that must be a scalar."""
    match value:
        case str():
            return value
        case Duplicate():
            raise ValueError(Duplicate.what)
        case list():
            raise ValueError("must be a single value, not a list")
        case _:
            raise ValueError("must be a single value, not a mapping")


def one_or_more(value: object) -> list[object]:
    """Expand ``5`` to ``[5]``, and mark what a list says twice."""
    items = value if isinstance(value, list) else [value]
    seen: set[str] = set()
    marked: list[object] = []
    for item in items:
        written = repr(item)
        marked.append(Duplicate() if written in seen else item)
        seen.add(written)
    return marked


def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse an empty list."""
    if not values:
        raise ValueError("must not be empty")
    return values


def key_of(word: str) -> Callable[[object], object]:
    """Return what expands a scalar to the mapping that says the same under one key."""

    def expand(value: object) -> object:
        return {word: value} if isinstance(value, str) else value

    return expand
