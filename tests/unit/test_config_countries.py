"""The countries of a config."""

import pytest

from bench.config.countries import codes_of, parse_code, select
from bench.model.countries import COUNTRIES, POP20


def test_named_selections_have_their_codes() -> None:
    assert codes_of("pop20") == POP20
    assert codes_of("all") == tuple(COUNTRIES)
    assert len(codes_of("all")) == 194
    assert codes_of("every")[:2] == ("AA", "AB")
    assert len(set(codes_of("every"))) == 676
    assert codes_of("B") == tuple(f"B{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert codes_of("NO") == ("NO",)


@pytest.mark.parametrize("text", ["br", "Br", "bR", "BR"])
def test_code_in_any_case_is_the_same_code(text: str) -> None:
    assert codes_of(text) == (parse_code(text),) == ("BR",)
    assert codes_of("b") == codes_of("B")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("pop2", "; did you mean 'pop20'?"),
        ("ALL", "; did you mean 'all'?"),
        ("bra", ""),
        ("", ""),
        ("\u00df", ""),
        ("\u0412R", ""),
        ("../..", ""),
    ],
)
def test_unknown_selection_is_rejected_with_the_nearest_one(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="a letter or a list of codes") as caught:
        codes_of(text)
    assert str(caught.value).endswith(f"not {text!a}{hint}")


@pytest.mark.parametrize("text", ["", "B", "\u00df", "\u017fr", "BRA", "B1", "B/", "..", "\u0412R", "BR\n"])
def test_code_other_than_two_letters_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        parse_code(text)


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
def test_label_of_a_selection_has_its_limit_and_repeats(
    codes: tuple[str, ...], limit: int | None, repeat: int, label: str, fetches: int
) -> None:
    selection = select(codes, limit, repeat)
    assert selection.label == label
    assert len(selection.fetches) == fetches


def test_more_than_a_million_fetches_are_rejected() -> None:
    assert len(select(("BR",), None, 1_000_000).codes) == 1
    with pytest.raises(ValueError, match="1,000,002 fetches per round; the limit is 1,000,000"):
        select(("BR", "NO"), None, 500_001)
