"""The authority of a run as a file that workers can read."""

from pathlib import Path

from bench.runner.protected_files import lay_out_authority


def test_nothing_encrypted_needs_no_file(tmp_path: Path) -> None:
    """Plain runs leave nothing behind."""
    assert lay_out_authority(tmp_path, "") is None
    assert list(tmp_path.iterdir()) == []


def test_it_is_written_once_and_anew_for_another_server(tmp_path: Path) -> None:
    """A server that takes over has an authority of its own."""
    path = lay_out_authority(tmp_path, "one")
    assert path is not None
    file = Path(path)
    written_ns = file.stat().st_mtime_ns
    assert lay_out_authority(tmp_path, "one") == path
    assert (file.read_text(), file.stat().st_mtime_ns) == ("one", written_ns)
    assert lay_out_authority(tmp_path, "two") == path
    assert file.read_text() == "two"
