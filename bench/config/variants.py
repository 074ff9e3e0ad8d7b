"""Read ``variants``, as mappings or as text; ``ab`` and ``gate`` read theirs with ``parse_variant``."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bench.config.forms import (
    Editor,
    FieldError,
    Form,
    FromForm,
    Named,
    OneOrMore,
    Shorthand,
    Text,
    key,
    reject,
)
from bench.config.lookup import LookupContext
from bench.config.problems import did_you_mean, quote_text
from bench.config.scalars import parse_name
from bench.model.comparison import Variant

_KEYS: Final = ("rev", "path", "python", "requirements")


def parse_variant(text: str) -> Variant:
    """Read a variant such as ``main``, ``rev=main,python=3.13`` or ``requirements=httpx==0.27.2``.

    ``requirements`` may come more than once; a setting without a name is a revision.

    Raises:
        ValueError: the text is not a variant; the error ends a message.
    """
    settings: dict[str, list[str]] = {name: [] for name in _KEYS}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if equals and name not in settings and "," in text:
            raise ValueError(f"has an unknown setting {quote_text(name)}{did_you_mean(name, _KEYS)}")
        if not equals and part.strip() in settings:
            raise ValueError(f"has {part.strip()} without a value; write, for instance, python=3.13")
        if not equals or name not in settings:
            name, value = "rev", part.strip()
        if not value:
            raise ValueError("has a setting without a value")
        if settings[name] and name != "requirements":
            raise ValueError(f"has {name} twice")
        settings[name].append(value)
    if settings["rev"] and settings["path"]:
        raise ValueError("has rev and path; keep one of them")
    (rev,), (python,) = settings["rev"] or [""], settings["python"] or [""]
    path = Path(settings["path"][0]) if settings["path"] else None
    return Variant(rev, path, python, tuple(settings["requirements"]))


# Neither may begin with a dash, for a program would take it for an option
_REV: Final = re.compile("[!-,.-~][!-~]{0,199}")
_REQUIREMENT: Final = re.compile("[!-,.-~][ -~]{0,199}")


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"must be {what}, not {quote_text(text)}")
        return text

    return parse


def _parse_interpreter(context: LookupContext, text: str) -> str:
    """Return a version or a name as it is, and a path relative to the config's folder."""
    return str(context.existing_file(text)) if "/" in text else parse_name(text)


_REV_EDITOR: Final[Editor] = {
    "type": ["string", "number", "boolean"], "pattern": f"^{_REV.pattern}$", "minimum": 0,
    "examples": ["main", "v1.2.0", "HEAD~3"],
}  # fmt: skip
_FOLDER_EDITOR: Final[Editor] = {"type": "string", "examples": ["../other"]}
_PYTHON_EDITOR: Final[Editor] = {
    "type": ["string", "number"], "minimum": 0, "examples": ["3.13", "../venv/bin/python"],
}  # fmt: skip
_REQUIREMENT_EDITOR: Final[Editor] = {
    "type": "string", "pattern": f"^{_REQUIREMENT.pattern}$",
    "examples": ["httpx==0.27.2", "aiohttp>=3.11,<3.12"],
}  # fmt: skip
_VARIANT_EDITOR: Final[Editor] = {
    "type": ["string", "number"], "examples": ["main", "rev=main,python=3.13", "requirements=httpx==0.27.2"],
}  # fmt: skip

_Rev: TypeAlias = Annotated[str, Text(_matching(_REV, "a revision such as main or HEAD~3"), _REV_EDITOR)]
_Requirement: TypeAlias = Annotated[
    str, Text(_matching(_REQUIREMENT, "a requirement such as httpx==0.27.2"), _REQUIREMENT_EDITOR)
]


class VariantForm(Form):
    """A variant: the current folder as it is, unless `rev` or `path` names another tree."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["rev", "path"]}})

    rev: _Rev | None = key(None, "A git revision of the current repository. Not together with `path`.")
    path: Annotated[Path, Named(LookupContext.existing_folder, _FOLDER_EDITOR)] | None = key(
        None, "A folder, taken as it is; relative to the config."
    )
    python: Annotated[str, Named(_parse_interpreter, _PYTHON_EDITOR)] | None = key(
        None,
        "An interpreter by its version, or by its path, which has a `/` in it and is relative to the config.",
    )
    requirements: OneOrMore[_Requirement] | None = key(
        None, "Installed in addition to the requirements of the tree."
    )

    @model_validator(mode="after")
    def _check_one_tree(self) -> Self:
        if self.rev is not None and self.path is not None:
            reject([FieldError(("path",), "cannot be combined with 'rev'")])
        return self

    def variant(self) -> Variant:
        """Return the variant as a value of the model."""
        path = None if self.path is None else self.path.resolve()
        return Variant(self.rev or "", path, self.python or "", self.requirements or ())


def _expand_variant(value: object) -> object:
    """Expand the text form, so that each of its settings is checked like the same key's."""
    if not isinstance(value, str):
        return value
    variant = parse_variant(value)
    settings = {
        "rev": variant.rev,
        "path": "" if variant.path is None else str(variant.path),
        "python": variant.python,
        "requirements": list(variant.requirements),
    }
    return {name: setting for name, setting in settings.items() if setting}


def _check_pair(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    if len(variants) != 2:  # noqa: PLR2004  base and candidate
        raise ValueError("must be two variants, the base and the candidate")
    return variants


_VariantField: TypeAlias = Annotated[
    Variant, FromForm(VariantForm, VariantForm.variant), Shorthand(_expand_variant, _VARIANT_EDITOR)
]
VariantsField: TypeAlias = Annotated[
    tuple[_VariantField, ...],
    AfterValidator(_check_pair),
    Field(json_schema_extra={"minItems": 2, "maxItems": 2}),
]
