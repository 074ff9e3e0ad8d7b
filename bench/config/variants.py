"""How a variant is written: as the name of a revision, or as settings with commas between."""

import re
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bench.config import units
from bench.config.lookup import LookupContext
from bench.config.pydantic_types import (
    FieldError,
    Form,
    FromForm,
    Named,
    Shorthand,
    Text,
    one_or_more,
    reject,
    some,
)
from bench.config.quoting import did_you_mean, quote_text
from bench.model.comparison import Variant

_KEYS: Final = ("rev", "path", "python", "requirements")


def parse_variant(text: str) -> Variant:
    """Read a variant such as ``main``, ``rev=main,python=3.13`` or ``requirements=httpx==0.27.2``.

    ``requirements`` may come more than once; of a setting without a name the text is a revision.

    Raises:
        ValueError: it is none, in words that end a message.
    """
    settings: dict[str, list[str]] = {key: [] for key in _KEYS}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if equals and key not in settings and "," in text:
            raise ValueError(f"has an unknown setting {quote_text(key)}{did_you_mean(key, _KEYS)}")
        if not equals and part.strip() in settings:
            raise ValueError(f"has {part.strip()} without a value, such as python=3.13")
        if not equals or key not in settings:
            key, value = "rev", part.strip()
        if not value:
            raise ValueError("has a setting without a value")
        if settings[key] and key != "requirements":
            raise ValueError(f"says {key} twice")
        settings[key].append(value)
    if settings["rev"] and settings["path"]:
        raise ValueError("has a revision and a path; it can be of one of them")
    (rev,), (python,) = settings["rev"] or [""], settings["python"] or [""]
    path = Path(settings["path"][0]) if settings["path"] else None
    return Variant(rev, path, python, tuple(settings["requirements"]))


_TWO: Final = 2
_WORD: Final = re.compile("[!-,.-~][!-~]{0,199}")
"""Without spaces, and nothing that a program would take for an option."""
_LINE: Final = re.compile("[!-,.-~][ -~]{0,199}")

_REV: Final = {
    "type": ["string", "number", "boolean"],
    "pattern": f"^{_WORD.pattern}$",
    "minimum": 0,
    "examples": ["main", "v1.2.0", "HEAD~3"],
}
_REQUIREMENT: Final = {
    "type": "string",
    "pattern": f"^{_LINE.pattern}$",
    "examples": ["httpx==0.27.2", "aiohttp>=3.11,<3.12"],
}
_FOLDER: Final = {"type": "string", "examples": ["../other"]}
_PYTHON: Final = {"type": ["string", "number"], "minimum": 0, "examples": ["3.13", "../venv/bin/python"]}
_VARIANT: Final = {
    "type": ["string", "number"],
    "examples": ["main", "rev=main,python=3.13", "requirements=httpx==0.27.2"],
}


def _rev(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"must be a revision such as main or HEAD~3, not {quote_text(text)}")
    return text


def _requirement(text: str) -> str:
    if not _LINE.fullmatch(text):
        raise ValueError(f"must be a requirement such as httpx==0.27.2, not {quote_text(text)}")
    return text


def _interpreter(offer: LookupContext, text: str) -> str:
    """Return a version or a name as it is, a path counted from the config's folder."""
    return str(offer.existing_file(text)) if "/" in text else units.identifier(text)


class VariantForm(Form):
    """One side: the current folder as it is, unless `rev` or `path` says otherwise."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["rev", "path"]}})

    rev: Annotated[str, Text(_rev, _REV)] | None = Field(
        default=None, description="A git revision of the current repository."
    )
    path: Annotated[Path, Named(LookupContext.existing_folder, _FOLDER)] | None = Field(
        default=None, description="A folder, taken as it is; counted from this config's folder."
    )
    python: Annotated[str, Named(_interpreter, _PYTHON)] | None = Field(
        default=None, description="An interpreter by its version, or by its path from this config's folder."
    )
    requirements: (
        Annotated[
            tuple[Annotated[str, Text(_requirement, _REQUIREMENT)], ...],
            AfterValidator(some),
            Shorthand(one_or_more),
        ]
        | None
    ) = Field(default=None, description="What is installed on top of what the tree asks for.")

    @model_validator(mode="after")
    def _of_one_tree(self) -> Self:
        if self.rev is not None and self.path is not None:
            reject([FieldError(("path",), "does not go with 'rev'")])
        return self

    def variant(self) -> Variant:
        """Return the variant in the words of the model."""
        path = None if self.path is None else self.path.resolve()
        return Variant(self.rev or "", path, self.python or "", self.requirements or ())


def _spread(value: object) -> object:
    """Expand the text form, so that each of its settings is checked like the same key's."""
    if not isinstance(value, str):
        return value
    read = parse_variant(value)
    written = {
        "rev": read.rev,
        "path": "" if read.path is None else str(read.path),
        "python": read.python,
        "requirements": list(read.requirements),
    }
    return {key: setting for key, setting in written.items() if setting}


def _both(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    if len(variants) != _TWO:
        raise ValueError("must be two variants, the base and the candidate")
    return variants


Variants: TypeAlias = Annotated[
    tuple[
        Annotated[Variant, FromForm(VariantForm, VariantForm.variant), Shorthand(_spread, _VARIANT)],
        ...,
    ],
    AfterValidator(_both),
    Field(json_schema_extra={"minItems": _TWO, "maxItems": _TWO}),
]
