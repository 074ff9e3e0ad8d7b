"""Variants and options of ``ab`` and ``gate`` on the command line."""

from pathlib import Path

import click
import pytest

from bench.commands.comparison_arguments import comparison_request, parse_variants, split_variants
from bench.config.variants import parse_variant
from bench.errors import UsageError
from bench.model.comparison import Variant
from tests.repositories import small_repository

MAIN = Variant(rev="main")
WORKTREE = Variant()


@pytest.mark.parametrize(
    ("words", "variants", "config"),
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
def test_last_word_is_the_config_if_it_is_yaml_or_shipped(
    words: tuple[str | None, str | None, str | None], variants: tuple[str, ...], config: str
) -> None:
    assert split_variants(*words) == (variants, config)


def test_word_that_is_a_config_and_a_revision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def test_variant_is_a_revision_or_has_settings(text: str, expected: Variant, label: str) -> None:
    """Its label has no ``@``, which separates a variant from the id of a case."""
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
def test_invalid_variant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|says) "):
        parse_variant(text)


def test_default_candidate_is_the_work_tree() -> None:
    assert parse_variants(("main",), None) == (MAIN, WORKTREE)
    assert WORKTREE.label == "worktree"


def test_variants_of_the_config_are_compared_if_none_are_named() -> None:
    configured = (Variant(rev="a"), Variant(rev="b"))
    assert parse_variants((), configured) == configured
    assert parse_variants(("main", "HEAD"), configured) == (MAIN, Variant(rev="HEAD"))
    with pytest.raises(click.UsageError, match="no BASE"):
        parse_variants((), None)


def test_options_are_parsed_like_values_of_a_config() -> None:
    request = comparison_request((MAIN, WORKTREE), metrics="p99, elapsed", threshold="3%", budget="2m")
    assert (request.base, request.candidate) == (MAIN, WORKTREE)
    assert (request.metrics, request.threshold, request.budget_s) == (("elapsed", "p99"), 0.03, 120)


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"metrics": "speed"}, "--metrics"),
        ({"threshold": "0%"}, "--threshold"),
        ({"budget": "soon"}, "--budget"),
    ],
)
def test_error_names_the_invalid_option(given: dict[str, str], option: str) -> None:
    values = {"metrics": None, "threshold": None, "budget": None, **given}
    with pytest.raises(click.BadParameter) as caught:
        comparison_request((MAIN, WORKTREE), **values)
    assert caught.value.param_hint == option
