"""How the words of ``ab`` become two variants and their terms."""

from dataclasses import replace
from pathlib import Path

import pytest
import rich_click as click

from bench.app.comparison_options import comparison_request, parse_words, split_variants
from bench.config.variants import parse_variant
from bench.errors import UsageError
from bench.model.cases import Experiment
from bench.model.comparison import ComparisonSettings, Variant
from tests.builders import case
from tests.repositories import small_repository

ASKED = Experiment("x", (case(),), {}, 8, None, 60, 10, 1)


@pytest.mark.parametrize(
    ("words", "sides", "config"),
    [
        (("main", None, None), ("main",), "gate"),
        (("main", "HEAD", None), ("main", "HEAD"), "gate"),
        (("main", "HEAD", "mine.yaml"), ("main", "HEAD"), "mine.yaml"),
        (("main", "mine.yml", None), ("main",), "mine.yml"),
        (("main", "tls", None), ("main",), "tls"),
        (("mine.yaml", None, None), (), "mine.yaml"),
        (("main", "HEAD", "default"), ("main", "HEAD"), "default"),
    ],
)
def test_the_config_comes_last_and_can_be_told_from_a_variant(
    words: tuple[str | None, str | None, str | None], sides: tuple[str, ...], config: str
) -> None:
    """It is a YAML file, or has the name of one that ships."""
    assert split_variants(*words) == (sides, config)


def test_a_word_that_is_a_config_and_a_revision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both are named, or one is named by more than a word, nothing is in doubt."""
    monkeypatch.chdir(small_repository(tmp_path / "repository", "ci").folder)
    with pytest.raises(UsageError, match="ci is a config and a revision"):
        split_variants("HEAD", "ci", None)
    assert split_variants("HEAD", "ci", "ci") == (("HEAD", "ci"), "ci")
    assert split_variants("HEAD", "rev=ci", None) == (("HEAD", "rev=ci"), "gate")
    assert split_variants("HEAD", "default", None) == (("HEAD",), "default")


@pytest.mark.parametrize(
    ("text", "expected", "label"),
    [
        ("main", Variant(rev="main"), "main"),
        ("rev=main,python=3.13", Variant(rev="main", python="3.13"), "main+py3.13"),
        ("python=3.13", Variant(python="3.13"), "py3.13"),
        ("path=../other", Variant(path=Path("../other")), "other"),
        ("requirements=httpx==0.27.2", Variant(requirements=("httpx==0.27.2",)), "httpx==0.27.2"),
        (
            "main,requirements=httpx==0.27.2, requirements=h11==0.14",
            Variant(rev="main", requirements=("httpx==0.27.2", "h11==0.14")),
            "main+httpx==0.27.2+h11==0.14",
        ),
        (
            "requirements=mylib @ https://example.invalid/mylib.whl?token=secret",
            Variant(requirements=("mylib @ https://example.invalid/mylib.whl?token=secret",)),
            "mylib",
        ),
        (f"{'0123456789' * 4}", Variant(rev="0123456789" * 4), "0123456789"),
        ("HEAD@{1}", Variant(rev="HEAD@{1}"), "HEAD-{1}"),
        ("feature=x", Variant(rev="feature=x"), "feature=x"),
    ],
)
def test_a_variant_is_a_revision_or_says_more(text: str, expected: Variant, label: str) -> None:
    """And its label has nothing in it that an id of a case stands on."""
    assert parse_variant(text) == expected
    assert parse_variant(text).label == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rev=",
        "main,",
        "rev=a,path=b",
        "python=3.12,python=3.13",
        "main,HEAD",
        "main,pyton=3.13",
        "main,python",
    ],
)
def test_what_is_no_variant_is_refused(text: str) -> None:
    """In words that end a message."""
    with pytest.raises(ValueError, match=r"^(has|says) "):
        parse_variant(text)


def test_the_work_tree_stands_in_for_a_candidate_that_is_not_named() -> None:
    """And the config's own variants for both, if it has some."""
    usual = {"metrics": None, "threshold": None, "budget": None}
    found = comparison_request(ASKED, ("main",), **usual)
    assert (found.base, found.candidate) == (Variant(rev="main"), Variant())
    assert found.candidate.label == "worktree"
    own = (Variant(rev="a"), Variant(rev="b"))
    found = comparison_request(replace(ASKED, terms=ComparisonSettings(variants=own)), (), **usual)
    assert (found.base, found.candidate) == own
    with pytest.raises(click.UsageError, match="no BASE"):
        comparison_request(ASKED, (), **usual)


def test_terms_are_read_as_a_config_writes_them() -> None:
    """Shares, durations, and metrics in their usual order."""
    found = comparison_request(ASKED, ("main",), metrics="p99, elapsed", threshold="3%", budget="2m")
    assert (found.metrics, found.threshold, found.budget_s) == (("elapsed", "p99"), 0.03, 120)


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ({"metrics": "speed"}, "--metrics"),
        ({"threshold": "0%"}, "--threshold"),
        ({"budget": "soon"}, "--budget"),
    ],
)
def test_terms_that_cannot_be_read_are_named(said: dict[str, str], option: str) -> None:
    """With the option that they were given by."""
    with pytest.raises(click.BadParameter) as caught:
        comparison_request(ASKED, ("main",), **{"metrics": None, "threshold": None, "budget": None, **said})
    assert caught.value.param_hint == option


def test_what_was_said_can_be_said_again() -> None:
    """For the command that goes on with a contest."""
    assert parse_words(metrics="p99", threshold=None, budget="2m") == ("--metrics", "p99", "--budget", "2m")
