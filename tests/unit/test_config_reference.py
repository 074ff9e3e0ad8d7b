"""The tables of all keys of a config, as docs/config.md has them."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from bench.config.cluster_file import ClusterForm
from bench.config.forms import Form
from bench.config.json_schema import schema
from docs.pages.config_reference import config_reference, describe_value, write_config_reference
from tests.readme import heading_anchors, link_targets

REFERENCE: Final = config_reference(schema())
DURATION: Final = {"type": "string", "pattern": "^[0-9.]+(ms|s|m)$", "examples": ["50ms", "2m"]}
SHARE: Final = {"type": ["string", "number"], "pattern": "^[0-9.]+%?$", "examples": ["5%", 0.05]}
NAME: Final = {
    "type": ["string", "number", "boolean"], "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "minimum": 0,
    "not": {"enum": ["local", "delay"]},
}  # fmt: skip
WHOLE: Final = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1, "maximum": 10_000}


def forms() -> list[type[Form]]:
    """Return all forms of a config, by their classes; the file of a cluster is no config."""
    found = [each for each in Form.__subclasses__() if each.__module__.startswith("bench.")]
    return [each for each in found if each is not ClusterForm]


def whole(key: dict[str, Any], **forms: Any) -> dict[str, Any]:
    """Return the schema of a config with one key."""
    return {"properties": {"key": {"description": "A key.", **key}}, "$defs": forms}


def test_every_key_of_every_form_is_in_a_table_of_its_form() -> None:
    tables = [re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for part in REFERENCE.split("\n### ")]
    assert sorted(tables) == sorted([*form.model_fields] for form in forms())


def test_each_form_has_a_heading_that_its_keys_link_to() -> None:
    links = set(link_targets(REFERENCE))
    assert links == {f"#{anchor}" for anchor in heading_anchors(REFERENCE)}
    assert {"#profile", "#latency-of-profile", "#sample-of-sizes"} <= links


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (DURATION, "a duration such as `50ms` or `2m`"),
        (WHOLE, "a whole number from 1 to 10,000"),
        ({**SHARE, "minimum": 0, "maximum": 1}, "a percentage or number such as `5%` or `0.05`, from 0 to 1"),
        (
            {**SHARE, "exclusiveMinimum": 0, "maximum": 1},
            "a percentage or number such as `5%` or `0.05`, more than 0, at most 1",
        ),
        (NAME, "at most 64 letters, digits, `.`, `_` and `-`, but not `local` or `delay`"),
        ({"type": "string", "examples": ["a.csv"]}, "text such as `a.csv`"),
        ({"enum": [True, False, "true", "false"]}, "`true` or `false`"),
        (
            {"enum": [f"kind{number}" for number in range(13)]},
            "one of 13 words such as `kind0`, `kind1` or `kind2`",
        ),
        ({"anyOf": [{"const": "auto"}, WHOLE]}, "`auto`; or a whole number from 1 to 10,000"),
        (
            {"anyOf": [WHOLE, {"type": "array", "items": WHOLE, "minItems": 1, "uniqueItems": True}]},
            "a whole number from 1 to 10,000; or a list of these",
        ),
        (
            {"anyOf": [{"enum": ["all", "cpu"]}, {"type": "array", "items": {"enum": ["cpu", "gc"]}}]},
            "`all` or `cpu`; or a list, each `cpu` or `gc`",
        ),
        (
            {"type": "array", "items": DURATION, "minItems": 2, "maxItems": 2},
            "a list of two, each a duration such as `50ms` or `2m`",
        ),
        (
            {"type": "object", "additionalProperties": DURATION, "minProperties": 1, "maxProperties": 50},
            "a mapping of up to 50 keys, each to a duration such as `50ms` or `2m`",
        ),
        ({"$ref": "#/$defs/LatencyForm"}, "[a mapping](#latency-of-profile)"),
    ],
)
def test_value_is_described_in_words(value: dict[str, Any], words: str) -> None:
    assert describe_value(value, {"LatencyForm": "`latency` of `profile`"}) == words


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"type": "string"},
        {"type": "string", "pattern": "^[a-f]+$"},
        {"type": "null"},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "array", "items": DURATION, "maxItems": 3},
        {"type": "object", "additionalProperties": False},
        {"oneOf": [DURATION]},
        {**WHOLE, "multipleOf": 2},
        {"anyOf": [WHOLE, {"type": "array", "items": {"type": "string", "format": "uri"}}]},
    ],
)
def test_unknown_construct_is_an_error(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"there are (no words|neither words nor examples) for"):
        config_reference(whole(value))


@pytest.mark.parametrize(
    ("default", "cell"),
    [({}, "–"), ({"default": []}, "–"), ({"default": 0.0}, "`0`"), ({"default": ["a", 20]}, "`[a, 20]`")],
)
def test_default_is_written_as_in_yaml(default: dict[str, Any], cell: str) -> None:
    last = config_reference(whole({**DURATION, **default})).splitlines()[-1]
    assert last == f"| `key` | a duration such as `50ms` or `2m` | {cell} | A key. |"


def test_required_key_and_bar_in_a_cell() -> None:
    required = {**whole({**DURATION, "description": "This | that."}), "required": ["key"]}
    assert config_reference(required).endswith("| required | This \\| that. |\n")


def test_tables_are_written_between_the_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "config.md"
    page.write_text("# A\n\n<!-- keys of the schema -->\nold\n<!-- end -->\n\n## B\n", "utf-8")
    write_config_reference(page)
    text = f"# A\n\n<!-- keys of the schema -->\n{REFERENCE}<!-- end -->\n\n## B\n"
    assert page.read_text("utf-8") == text


def test_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "config.md"
    page.write_text("# A\n\n<!-- keys of the schema -->\n", "utf-8")
    with pytest.raises(ValueError, match="has no <!-- keys of the schema --> with <!-- end --> below it"):
        write_config_reference(page)
