"""Files and YAML; errors of form are in ``tests.bad_configs``."""

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.config import yaml_reader
from bench.config.problems import Mark
from bench.errors import ConfigError


def test_unreadable_path_is_a_config_error(tmp_path: Path) -> None:
    for path in (Path("a\0b.yaml"), tmp_path / ("x" * 300 + ".yaml")):
        with pytest.raises(ConfigError, match="cannot be read"):
            yaml_reader.read_file(path)


def test_scalars_stay_text() -> None:
    document = yaml_reader.parse("\ufeffNO: [NO, 1:30, 010, 1e3, 'null', on]\n".encode())
    assert not document.problems
    assert document.source == {"NO": ["NO", "1:30", "010", "1e3", "null", "on"]}


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a: &a [1, 2]\nb: *a", {"a": ["1", "2"], "b": ["1", "2"]}),
        ("a: &a 1\nb: &a 2\nc: *a", {"a": "1", "b": "2", "c": "2"}),
        ("a: &a [&b {k: 1}, *b]\nb: &b 2\nc: *a", {"a": [{"k": "1"}] * 2, "b": "2", "c": [{"k": "1"}] * 2}),
        ("&k a: *k", {"a": "a"}),
        ("a: &a b\n*a : 1", {"a": "b", "b": "1"}),
        ("a: &a {k: 1, l: 2}\nb: {<<: *a, k: 3}", {"a": {"k": "1", "l": "2"}, "b": {"k": "3", "l": "2"}}),
        ("a: &a {k: 1, l: 2}\nb: {k: 3, <<: *a}", {"a": {"k": "1", "l": "2"}, "b": {"k": "3", "l": "2"}}),
        ("x-a: &a {k: 1}\nx-b: &b {k: 2, l: 3}\nc: {<<: [*a, *b]}", {"c": {"k": "1", "l": "3"}}),
        ("x-a: &a {k: 1}\nx-b: &b {<<: *a, l: 2}\nc: {<<: *b}", {"c": {"k": "1", "l": "2"}}),
        ("x-a: &a {x-b: 1, c: {x-d: 2}}\n<<: *a", {"c": {"x-d": "2"}}),
        ("x-null: ~\nx-tag: !t 1\na: 1", {"a": "1"}),
        ("a: {'<<': {k: 1}}", {"a": {"<<": {"k": "1"}}}),
    ],
)
def test_aliases_and_merge_keys_stand_for_what_they_refer_to(text: str, source: object) -> None:
    """The keys of a mapping come before merged ones, and those of an earlier mapping before a later one's."""
    document = yaml_reader.parse(text.encode())
    assert not document.problems
    assert document.source == source


@pytest.mark.parametrize("parser", [yaml.CBaseLoader, yaml.BaseLoader])
@given(st.randoms(use_true_random=False))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_aliases_and_merge_keys_mean_the_same_as_to_pyyaml(
    monkeypatch: pytest.MonkeyPatch, parser: type, source: random.Random
) -> None:
    monkeypatch.setattr(yaml_reader, "_PARSER", parser)
    lines = ["k0: &k0 {a: p, b: [q, r]}"]
    for place in range(1, source.randint(2, 6)):
        earlier = [f"*k{source.randrange(place)}" for _ in range(source.randint(1, 3))]
        merged = earlier[0] if len(earlier) == 1 else f"[{', '.join(earlier)}]"
        lines.append(f"k{place}: &k{place} {{{source.choice('abc')}: {earlier[-1]}, <<: {merged}}}")
    text = "\n".join(lines)
    document = yaml_reader.parse(text.encode())
    if document.problems:
        assert all("nested deeper" in each.what or "more than" in each.what for each in document.problems)
    else:
        assert document.source == yaml.safe_load(text)


def test_positions_are_those_of_the_values_an_alias_stands_for() -> None:
    text = "x-near: &near\n  workers: 0\n  keep: [1]\na:\n  <<: [{workers: 2}, *near]\nb: *near\n"
    document = yaml_reader.parse(text.encode())
    assert document.source == {"a": {"workers": "2", "keep": ["1"]}, "b": {"workers": "0", "keep": ["1"]}}
    assert document.marks["a", "workers"] == Mark(5, 18)
    assert document.marks["a", "keep", 0] == Mark(3, 10)
    assert document.key_marks["b", "workers"] == Mark(2, 3)


@pytest.mark.parametrize("depth", [6, 10, 100])
def test_aliases_count_towards_the_limit_of_values(depth: int) -> None:
    """A billion laughs end after 2,000 values."""
    lines = ["x-a0: &a0 [lol, lol]"]
    lines += [f"x-a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, depth)]
    document = yaml_reader.parse("\n".join(lines).encode())
    assert document.source is None
    (problem,) = document.problems
    assert problem.what == "more than 2,000 values; shorten the config"


def test_aliases_count_towards_the_limit_of_depth() -> None:
    lines = ["x-a0: &a0 [1]", *(f"x-a{i}: &a{i} [[[*a{i - 1}]]]" for i in range(1, 9))]
    (problem,) = yaml_reader.parse("\n".join(lines).encode()).problems
    assert problem.what == "nested deeper than 20 levels"
