"""Write the tables of docs/config.md: all keys of a config, from the schema by which editors check it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from bench.config.json_schema import schema
from bench.model.text import join_or
from docs.pages.page_text import anchor_of

Schema: TypeAlias = Mapping[str, Any]
Headings: TypeAlias = Mapping[str, str]
"""The heading of each form, by the name of the form in the schema."""

BEGIN: Final = "<!-- keys of the schema -->\n"
END: Final = "<!-- end -->\n"
_REF: Final = "#/$defs/"
_MOST_WORDS: Final = 12
_NOUNS: Final = {
    "^[0-9]+$": "a whole number",
    "^[0-9.]+(ms|s|m)$": "a duration",
    "^[0-9.]+(B|kB|MB|GB|KiB|MiB|GiB)$": "a size",
    "^[0-9.]+%?$": "a percentage or number",
    "^[0-9.]+/s$": "a rate",
    "^[0-9.]+(/s)?$": "a rate",
    "^[A-Za-z]{2}$": "a code",
    "^[A-Za-z]{1,2}$": "a letter or code",
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "at most 64 letters, digits, `.`, `_` and `-`",
}
"""Words for values with a pattern; those with another one are called text, and need examples."""
_LIMITS: Final = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_KEYWORDS: Final = {
    "$ref", "anyOf", "enum", "const", "type", "pattern", "examples", "not", "items", "minItems", "maxItems",
    "uniqueItems", "additionalProperties", "minProperties", "maxProperties", "description", "default",
    *_LIMITS,
}  # fmt: skip
"""Those of a value for which there are words here, or which need none."""


def write_config_reference(file: Path) -> None:
    """Write the tables between the marks of a page, and leave the rest of it as it is."""
    before, begin, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} has no {BEGIN.strip()} with {END.strip()} below it")
    file.write_text(f"{before}{begin}{config_reference(schema())}{end}{after}", encoding="utf-8")


def config_reference(whole: Schema) -> str:
    """Return the keys of a config as Markdown: a table, and below it one with a heading for each form.

    Raises:
        ValueError: the schema has a construct for which there are no words.
    """
    forms = whole["$defs"]
    headings: dict[str, str] = {}
    _add_headings(headings, whole, forms)
    lines = list(_table(whole, headings))
    for name, heading in headings.items():
        lines += ["", f"### {heading}", "", forms[name]["description"], "", *_table(forms[name], headings)]
    return "\n".join(lines) + "\n"


def _add_headings(headings: dict[str, str], form: Schema, forms: Schema, parent: str = "") -> None:
    """Add the heading of each form that a key takes, followed by those of the keys below it."""
    for key, value in form["properties"].items():
        for name in _references(value):
            if name not in headings:
                headings[name] = f"`{key}`{parent}"
                _add_headings(headings, forms[name], forms, f" of `{key}`")


def _references(value: Schema) -> Iterator[str]:
    if "$ref" in value:
        yield value["$ref"].removeprefix(_REF)
    for each in (*value.get("anyOf", ()), value.get("items"), value.get("additionalProperties")):
        if each:
            yield from _references(each)


def _table(form: Schema, headings: Headings) -> Iterator[str]:
    yield from ("| key | value | default | meaning |", "| --- | --- | --- | --- |")
    for key, value in form["properties"].items():
        default = _code(value["default"]) if value.get("default", []) != [] else "–"
        cells = (
            f"`{key}`",
            describe_value(value, headings),
            "required" if key in form.get("required", ()) else default,
            value["description"],
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def describe_value(value: Schema, headings: Headings) -> str:
    """Say in words which values a part of the schema allows.

    Raises:
        ValueError: there are no words for it.
    """
    return "; or ".join(_alternatives(value, headings))


def _alternatives(value: Schema, headings: Headings) -> list[str]:
    if unknown := value.keys() - _KEYWORDS:
        raise ValueError(f"there are no words for {', '.join(sorted(unknown))} of {dict(value)}")
    if "anyOf" not in value:
        return [_describe_one(value, headings)]
    said: list[str] = []
    for each in value["anyOf"]:
        is_list_of_these = "items" in each and said == _alternatives(each["items"], headings)
        said += ["a list of these"] if is_list_of_these else _alternatives(each, headings)
    return said


def _describe_one(value: Schema, headings: Headings) -> str:
    match value:
        case {"$ref": name}:
            words = f"[a mapping](#{anchor_of(headings[name.removeprefix(_REF)])})"
        case {"enum": choices}:
            words = _one_of(choices)
        case {"const": word}:
            words = _code(word)
        case {"type": "array", "items": items, "minItems": 2, "maxItems": 2}:
            words = f"a list of two, each {describe_value(items, headings)}"
        case {"type": "array", "items": items} if "maxItems" not in value:
            words = f"a list, each {describe_value(items, headings)}"
        case {"type": "object", "additionalProperties": inner, "maxProperties": most} if inner:
            words = f"a mapping of up to {most} keys, each to {describe_value(inner, headings)}"
        case {"type": "string" | ["string", *_] | ["integer", "string"]}:
            words = _describe_scalar(value)
        case _:
            raise ValueError(f"there are no words for {dict(value)}")
    return words


def _describe_scalar(value: Schema) -> str:
    """Name a scalar by its pattern, with its examples and limits."""
    if value.get("pattern") not in _NOUNS and "examples" not in value:
        raise ValueError(f"there are neither words nor examples for {dict(value)}")
    words = _NOUNS.get(value.get("pattern", ""), "text")
    if "examples" in value:
        words += f" such as {_one_of(value['examples'])}"
    limits = [limit for limit in _LIMITS if limit in value]
    if limits == ["minimum", "maximum"]:
        words += f"{',' * ('examples' in value)} from {value['minimum']:,} to {value['maximum']:,}"
    elif limits != ["minimum"]:  # which is for names and versions that YAML reads as numbers
        words += "".join(f", {_LIMITS[limit]} {value[limit]:,}" for limit in limits)
    return words + (f", but not {_one_of(value['not']['enum'])}" if "not" in value else "")


def _one_of(values: Sequence[object]) -> str:
    """Write values as code; of many the first three."""
    codes = list(dict.fromkeys(map(_code, values)))
    if len(codes) > _MOST_WORDS:
        return f"one of {len(codes)} words such as {join_or(codes[:3])}"
    return join_or(codes)


def _code(value: object) -> str:
    """Write a value as in YAML."""
    match value:
        case list():
            return f"`[{', '.join(map(str, value))}]`"
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"
