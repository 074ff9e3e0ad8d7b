"""The configs that ship, the schema beside them, and how a config is found."""

from math import comb
from pathlib import Path

import pytest

from bench.config.json_schema import schema, schema_text
from bench.config.loader import find_config, shipped_configs
from bench.errors import ConfigError
from bench.model.cases import Fixed, Uniform
from bench.runner.time_estimate import expected_trial_s
from bench.system import paths
from tests.config_catalog import experiment_of


def _expected_s(name: str) -> float:
    experiment = experiment_of(name)
    total_s = 0.0
    for case in experiment.cases:
        latency = case.profile.latency
        assert isinstance(latency, Fixed | Uniform)
        mean_s = latency.seconds if isinstance(latency, Fixed) else (latency.low_s + latency.high_s) / 2
        fetches = len(case.countries.fetches)
        round_s = max(mean_s, fetches * mean_s / case.workers)
        total_s += expected_trial_s(case, round_s, experiment.rounds, start_s=0.3)
    return total_s * experiment.blocks


@pytest.mark.parametrize(
    ("name", "most_s"),
    [
        ("ci", 20),
        ("default", 45),
        ("delay", 240),
        ("error", 240),
        ("faults", 120),
        ("gate", 300),
        ("noise", 60),
        ("scale", 720),
        ("tls", 60),
    ],
)
def test_a_shipped_config_loads_whole_and_is_predicted_to_take_no_longer_than_it_says(
    name: str, most_s: float
) -> None:
    """All of it runs with what ships; its time is what ``check`` would foresee, not one that was measured.

    The command ``noise`` runs each case of its config twice.
    """
    experiment = experiment_of(name)
    assert experiment.name == name
    assert experiment.notes == ()
    assert _expected_s(name) < most_s


@pytest.mark.parametrize("name", ["ci", "default", "delay", "error", "faults", "tls"])
def test_a_shipped_config_has_blocks_enough_for_a_verdict(name: str) -> None:
    """The smallest p of n blocks is 2 / 2ⁿ, and Holm's first step multiplies it by the number of pairs."""
    experiment = experiment_of(name)
    cases = len(experiment.cases) // len({case.profile for case in experiment.cases})
    assert 2 / 2**experiment.blocks * comb(cases, 2) <= 0.05


def test_the_scale_config_reaches_two_hundred_workers() -> None:
    """A thousand fetches, one to two hundred workers, and time enough for the slowest."""
    experiment = experiment_of("scale")
    assert {case.workers for case in experiment.cases} == {1, 2, 5, 10, 20, 50, 100, 200}
    assert {len(case.countries.fetches) for case in experiment.cases} == {1000}
    assert experiment.deadline_s > 2 * 1000 * 0.010 * 2


def test_the_noise_config_waits_in_one_case_and_works_in_the_other() -> None:
    """At a fixed latency and at none; with fetches enough for a round of 100 ms either way."""
    working, waiting = experiment_of("noise").cases
    assert working.profile.latency == Fixed(0.0)
    assert waiting.profile.latency == Fixed(0.020)
    assert len(waiting.countries.fetches) * 0.0005 > 0.09
    assert len(waiting.countries.fetches) * 0.020 / waiting.workers > 0.1


def test_every_shipped_config_names_the_schema_and_its_question() -> None:
    """The first line is for editors, the comment below for people."""
    assert shipped_configs() == ("ci", "default", "delay", "error", "faults", "gate", "noise", "scale", "tls")
    for name in shipped_configs():
        lines = find_config(name).read_text(encoding="utf-8").splitlines()
        assert lines[0] == "# yaml-language-server: $schema=schema.json"
        assert lines[2].startswith("# ")
        assert "?" in lines[2]


def test_the_committed_schema_is_the_generated_one() -> None:
    """``python -m bench schema`` prints it; whoever changes the keys writes it anew."""
    assert (paths.configs_folder() / "schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_speaks_of_yaml_types() -> None:
    """Whole numbers are integers, with quotes or without, switches booleans, durations strings."""
    keys = schema()["properties"]
    assert keys["blocks"] == {
        "anyOf": [
            {
                "type": ["integer", "string"],
                "minimum": 1,
                "maximum": 1000,
                "pattern": keys["blocks"]["anyOf"][0]["pattern"],
            },
            {"$ref": "#/$defs/BlocksForm"},
        ],
        "default": 10,
        "description": keys["blocks"]["description"],
    }
    assert keys["keep_alive"]["anyOf"][0] == {"enum": [True, False, "true", "false"]}
    assert keys["deadline"]["type"] == "string"
    assert keys["deadline"]["default"] == "60s"
    assert schema()["required"] == ["strategies"]
    assert schema()["additionalProperties"] is False
    assert all(key["description"] for key in keys.values())


def test_a_bare_name_is_a_shipped_config_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of that name in the current folder does not count; with a suffix it does."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").touch()
    (tmp_path / "default.yaml").touch()
    assert find_config("default") == paths.configs_folder() / "default.yaml"
    assert find_config("default.yaml") == Path("default.yaml")
    assert find_config("./default.yaml") == Path("default.yaml")
    (tmp_path / "default.txt").touch()
    assert find_config("default.txt") == Path("default.txt")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("defalt", "defalt: no such config; did you mean 'default'?"),
        ("zzz", "zzz: no such config"),
        ("mine.txt", "mine.txt: no such file"),
        ("mien.yaml", "mien.yaml: no such file; did you mean 'mine.yaml'?"),
        ("nowhere/mine.yaml", "nowhere/mine.yaml: no such file"),
        ("\x1b[31m", "'\\x1b[31m': no such config"),
    ],
)
def test_a_missing_config_names_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    """Among those that ship, or among the files beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        find_config(name)
    assert caught.value.problems == (problem,)
