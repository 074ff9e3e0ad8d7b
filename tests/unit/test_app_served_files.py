"""The files that are served are read once, however many steps of a command need them."""

import pytest

from bench.app import served_files
from bench.app.select import load_experiment
from bench.app.served_files import with_files
from bench.model.cases import Experiment


def test_files_are_read_once_for_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a target would be downloaded again, and its rate would be exceeded."""
    reads: list[str] = []

    def read(experiment: Experiment) -> dict[str, bytes]:
        reads.append(experiment.name)
        return {"BR": b"GIF of Brazil"}

    monkeypatch.setattr(served_files, "served_files", read)
    known = with_files(load_experiment("default"))
    assert known.files == {"BR": b"GIF of Brazil"}
    assert with_files(known) is known
    assert reads == ["default"]
