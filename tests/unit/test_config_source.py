"""From bytes to a tree; the faults of form themselves are in ``tests.bad_configs``."""

from pathlib import Path

import pytest

from bench.config import yaml_reader
from bench.config.yaml_tree import Entries, to_plain
from bench.errors import ConfigError


def test_an_unreadable_path_is_named(tmp_path: Path) -> None:
    """A NUL or too long a name ends in the same kind of error as anything else."""
    for path in (Path("a\0b.yaml"), tmp_path / ("x" * 300 + ".yaml")):
        with pytest.raises(ConfigError, match="cannot be read"):
            yaml_reader.read_file(path)


def test_all_scalars_stay_text() -> None:
    """Norway is no boolean, ninety no sexagesimal, and a byte order mark no character."""
    document = yaml_reader.parse("\ufeffNO: [NO, 1:30, 010, 1e3, 'null', on]\n".encode())
    assert isinstance(document.root, Entries)
    assert not document.problems
    assert to_plain(document.root) == {"NO": ["NO", "1:30", "010", "1e3", "null", "on"]}
