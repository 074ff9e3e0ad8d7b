"""Check the pinned reference: loaded as saved, and anything else refused."""

import json
from pathlib import Path

import pytest

from bench.errors import SetupError, UnreadableResultError
from bench.storage.pinned_reference import Reference, load_reference, save_reference

PINNED = Reference("a" * 40, "2026-01-02", "the last release")


def test_reference_is_loaded_as_saved_and_replaced_by_the_next(tmp_path: Path) -> None:
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
def test_file_that_is_not_a_reference_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "reference.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableResultError, match=complaint) as caught:
        load_reference(path)
    assert str(path) in caught.value.what
    assert "history pin" in caught.value.hint


def test_folder_that_cannot_be_created_is_a_setup_error(tmp_path: Path) -> None:
    (tmp_path / "baselines").write_text("")
    with pytest.raises(SetupError, match="cannot pin a reference in"):
        save_reference(PINNED, tmp_path / "baselines" / "reference.json")
