"""Schemas of export formats whose readers are not to be had as a library or a program."""

import math
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

_NAME: Final = {"type": "string", "minLength": 1, "pattern": r"^\S(.*\S)?$"}
_POSITIVE: Final = {"type": "number", "exclusiveMinimum": 0}
_AT_LEAST_NOTHING: Final = {"type": "number", "minimum": 0}

HYPERFINE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["results"],
    "additionalProperties": False,
    "properties": {
        "results": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["command", "mean", "stddev", "median", "user", "system", "min", "max"],
                "additionalProperties": False,
                "properties": {
                    "command": _NAME,
                    **dict.fromkeys(("mean", "median", "min", "max"), _POSITIVE),
                    **dict.fromkeys(("user", "system"), _AT_LEAST_NOTHING),
                    "stddev": {"type": ["number", "null"], "minimum": 0},
                    "times": {"type": "array", "minItems": 1, "items": _POSITIVE},
                    "exit_codes": {"type": "array", "minItems": 1, "items": {"type": ["integer", "null"]}},
                    "parameters": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        }
    },
}
"""Of ``hyperfine --export-json``; Bencher's ``shell_hyperfine`` insists on all that is required here."""

GITHUB_ACTION_BENCHMARK: Final[dict[str, Any]] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
        "properties": {
            "name": _NAME,
            "unit": {"const": "s"},
            "value": _POSITIVE,
            "range": {"type": "string", "pattern": r"^± \d+\.\d+$"},
            "extra": {"type": "string", "minLength": 1},
        },
    },
}
"""Of ``customSmallerIsBetter``; the action itself takes ``null`` for 0 and any range for a text."""

_METRIC: Final = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": dict.fromkeys(("value", "lower_value", "upper_value"), _POSITIVE),
}
BENCHER: Final[dict[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {**_NAME, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "required": ["latency", "throughput"],
        "additionalProperties": False,
        "properties": {"latency": _METRIC, "throughput": _METRIC},
    },
}
"""The Bencher Metric Format with its two built-in measures of time."""

_ALLOWED: Final = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"testcase"},
    ),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
"""Attributes and children of each element, of those that Jenkins' ``junit-10.xsd`` allows."""
_COUNTED: Final = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def junit_problems(root: ET.Element) -> Iterator[str]:
    """Name everything that a reader of JUnit XML would refuse, or would count in another way."""
    if root.tag != "testsuites":
        yield f"the root is {root.tag}"
    for element in root.iter():
        attributes, children = _ALLOWED[element.tag]
        yield from (f"{element.tag} has {name}" for name in set(element.keys()) - attributes)
        yield from (f"{element.tag} holds {child.tag}" for child in element if child.tag not in children)
        for attribute in _COUNTED.keys() & set(element.keys()):
            counted = sum(1 for _ in element.iter(_COUNTED[attribute]))
            if element.get(attribute) != str(counted):
                yield f"{element.tag} says {element.get(attribute)} {attribute}, and there are {counted}"
        if not math.isfinite(float(element.get("time", "0"))):
            yield f"{element.tag} took {element.get('time')}"
