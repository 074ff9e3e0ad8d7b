"""Which countries a config selects."""

import pytest

from bench.config.countries import code, codes_of, select
from bench.model.countries import COUNTRIES, POP20


def test_the_named_selections() -> None:
    """The chapter's twenty in its order, the 194 of its list, and every pair of letters."""
    assert codes_of("pop20") == POP20
    assert codes_of("all") == tuple(COUNTRIES)
    assert len(codes_of("all")) == 194
    assert codes_of("every")[:2] == ("AA", "AB")
    assert len(set(codes_of("every"))) == 676
    assert codes_of("B") == tuple(f"B{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert codes_of("NO") == ("NO",)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("pop2", "; did you mean 'pop20'?"),
        ("ALL", "; did you mean 'all'?"),
        ("b", "; did you mean 'B'?"),
        ("br", "; did you mean 'BR'?"),
        ("", ""),
        ("\u00df", ""),
        ("\u0412R", ""),
        ("../..", ""),
    ],
)
def test_an_unknown_selection_names_the_near_miss(text: str, hint: str) -> None:
    """Case and spelling are mended in the message, never silently."""
    with pytest.raises(ValueError, match="a letter or a list of codes") as caught:
        codes_of(text)
    assert str(caught.value).endswith(f"not {text!a}{hint}")


@pytest.mark.parametrize("text", ["", "B", "br", "BRA", "B1", "B/", "..", "\u0412R", "BR\n"])
def test_a_code_is_two_capital_letters(text: str) -> None:
    """Nothing else may come near a path."""
    with pytest.raises(ValueError, match="two capital letters"):
        code(text)


@pytest.mark.parametrize(
    ("codes", "limit", "repeat", "label", "fetches"),
    [
        (POP20, None, 1, "pop20", 20),
        (codes_of("all"), 50, 5, "all limit 50 repeat 5", 250),
        (codes_of("B"), None, 2, "B repeat 2", 52),
        (("BR", "NO"), None, 1, "BR,NO", 2),
        (POP20[:7], None, 1, "7 codes", 7),
        (("BR", "NO"), 9, 1, "BR,NO limit 9", 2),
    ],
)
def test_a_selection_is_named_and_counted(
    codes: tuple[str, ...], limit: int | None, repeat: int, label: str, fetches: int
) -> None:
    """The label says how the fetches came about."""
    selection = select(codes, limit, repeat)
    assert selection.label == label
    assert len(selection.fetches) == fetches


def test_a_million_fetches_are_enough() -> None:
    """One more is refused before any tuple of that size is built."""
    assert len(select(("BR",), None, 1_000_000).codes) == 1
    with pytest.raises(ValueError, match="1,000,002 fetches a round, at most 1,000,000"):
        select(("BR", "NO"), None, 500_001)
