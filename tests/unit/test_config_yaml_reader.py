"""Files and YAML; errors of form are in ``tests.bad_configs``."""

from pathlib import Path

import pytest

from bench.config import yaml_reader
from bench.errors import ConfigError


def test_unreadable_path_is_a_config_error(tmp_path: Path) -> None:
    for path in (Path("a\0b.yaml"), tmp_path / ("x" * 300 + ".yaml")):
        with pytest.raises(ConfigError, match="cannot be read"):
            yaml_reader.read_file(path)


def test_scalars_stay_text() -> None:
    document = yaml_reader.parse("\ufeffNO: [NO, 1:30, 010, 1e3, 'null', on]\n".encode())
    assert not document.problems
    assert document.source == {"NO": ["NO", "1:30", "010", "1e3", "null", "on"]}
