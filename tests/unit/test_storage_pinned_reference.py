"""The pinned reference: what was saved is loaded, and anything else is damage."""

import json
from pathlib import Path

import pytest

from bench.errors import SetupError, UnreadableResultError
from bench.storage.pinned_reference import Reference, load_reference, save_reference

PINNED = Reference("a" * 40, "2026-01-02", "the last release")


def test_a_reference_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    """And one that is pinned later takes its place."""
    path = tmp_path / "baselines" / "reference.json"
    assert load_reference(path) is None
    save_reference(PINNED, path)
    assert load_reference(path) == PINNED
    assert json.loads(path.read_bytes()) == {"rev": "a" * 40, "since": "2026-01-02", "why": PINNED.why}
    save_reference(Reference("b" * 64, "2026-02-03", ""), path)
    assert load_reference(path) == Reference("b" * 64, "2026-02-03", "")
    assert [each.name for each in path.parent.iterdir()] == ["reference.json"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not a JSON document"),
        ("[]", "Reference: unexpected"),
        ('{"rev": "main", "since": "2026-01-02", "why": ""}', "rev is not a full commit"),
        (f'{{"rev": "{"a" * 40}", "since": "today", "why": ""}}', "since is not a day"),
        (f'{{"rev": "{"a" * 40}", "since": "2026-01-02"}}', "missing or unexpected: why"),
    ],
)
def test_what_is_no_reference_is_damage(tmp_path: Path, text: str, complaint: str) -> None:
    """With the path, and what mends it."""
    path = tmp_path / "reference.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableResultError, match=complaint) as caught:
        load_reference(path)
    assert str(path) in caught.value.what
    assert "history pin" in caught.value.hint


def test_a_place_that_cannot_be_written_is_an_error_of_the_environment(tmp_path: Path) -> None:
    """As where a file has the folder's name."""
    (tmp_path / "baselines").write_text("")
    with pytest.raises(SetupError, match="cannot pin a reference in"):
        save_reference(PINNED, tmp_path / "baselines" / "reference.json")
