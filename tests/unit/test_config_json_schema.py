"""The JSON Schema: a real validator, as editors have one, agrees with the reader."""

from pathlib import Path
from typing import Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.config.json_schema import schema, schema_text
from bench.config.loader import find_config, shipped_configs
from bench.system import paths
from tests.config_catalog import problems_of

EDITOR: Final = Draft202012Validator(schema())
SOUND: Final = "strategies: [sequential]\nclients: [requests]\n"

GOOD: Final = (
    "",
    "name: mine",
    "name: 2024",
    "name: 1.5",
    "name: true",
    "countries: pop20",
    "countries: B",
    "countries: [BR, 'NO']",
    "countries: {codes: all, limit: 5, repeat: '3'}",
    "workers: 5",
    "workers: ['5', 10000]",
    "keep_alive: [true, 'false']",
    "profile: delay",
    "profile: {preset: delay, scale: 10%}",
    "profile: {preset: delay, scale: 0.1}",
    "profile: {preset: delay, scale: '0.1'}",
    "profile: {preset: delay, scale: 199.5%}",
    "profile: {name: 7, latency: 5ms}",
    "profile: {latency: 0ms}",
    "profile: {latency: {fixed: 50ms}}",
    "profile: {latency: {uniform: [20ms, 80ms]}}",
    "profile: {latency: {lognormal: {median: 50ms, p99: 1.5s}}}",
    "profile: {latency: {sample: latencies.txt}}",
    "profile: {latency: {sample: {file: latencies.txt, unit: ms}}}",
    "profile: {sizes: 100KiB}",
    "profile: {sizes: {fixed: 1kB}}",
    "profile: {sizes: {lognormal: {median: 20KiB, p99: 1MiB}}}",
    "profile: {sizes: {sample: sizes.txt}}",
    "profile: {sizes: {sample: {file: sizes.txt, unit: B}}}",
    "profile: {error_rate: 5%, error_status: 503}",
    "profile: {error_rate: 100%}",
    "profile: {faults: stall}",
    "profile: {faults: [{kind: drip, rate: 5%}, {kind: status, status: 503, rate: '0.1'}]}",
    "profile: {tls: true, faults: tls_expired}",
    "strategies: {name: sequential, clients: httpx}\nprofile: {tls: true, http2: true, faults: goaway}",
    "profile: {tls: 'true', http2: 'false'}",
    "profile: {error_rate: 0.05}",
    "profile: {error_rate: '0.05'}",
    "profile: {bandwidth: 0.5KiB, jitter: 0.05ms}",
    "profile: {connect_latency: 20ms}",
    "profiles: [local, {latency: 5ms}]",
    "profiles: local",
    "blocks: 1000",
    "blocks: 6\nprecision: 3%",
    "blocks: '6'\nprecision: 3%",
    "blocks: {max: 6}\nprecision: 3%",
    "blocks: {max: 5}",
    "blocks: {min: 8, max: 64}\nprecision: 0.03",
    "blocks: {min: '6', max: '64'}\nprecision: '0.03'\nbudget: 60s",
    "blocks: {min: 1, max: 3}\nbudget: 60s",
    "precision: 3%",
    "budget: 0.5m",
    "probes: all",
    "probes: none",
    "probes: cpu",
    "probes: [gc, cpu]",
    "pinning: false",
    "disturbed: keep",
    "pinning: 'true'",
    "variants: [main, {}]",
    "variants: [1234567, python=3.13]",
    "variants: ['rev=main,requirements=httpx==0.27.2', {path: ., python: 3.13}]",
    "variants: [{rev: 2024, requirements: 'httpx>=0.27,<1'}, {requirements: [httpx==0.27.2, aiohttp==3.11]}]",
    "metrics: cpu",
    "metrics: [memory, p99]",
    "thresholds: {'*': 5%}",
    "thresholds: {'*': 0.05, sequential/*: '0.05'}",
    "thresholds: {'*': [3%, p99 < 80ms, elapsed<=1.5s, cpu < 200ms]}",
    "thresholds: {'*': [memory < 80MiB, efficiency > 70%, efficiency >= 0.7, errors == 0]}",
    "thresholds: {'*': errors  <=  1000000}",
    "rounds: auto",
    "rounds: 3",
    'rounds: "3"',
    "deadline: 1440m",
    "deadline: 86400.0s",
    "request_timeout: 0.5s",
    "seed: 0",
    "seed: '999999999999999'",
    "rate: 50/s",
    "rate: 0.5",
    "rates: [50, '100/s', 200.5]",
)
BAD: Final = (
    "nmae: mine",
    "name: a/b",
    "name: -5",
    "name: []",
    "countries: []",
    "countries: bra",
    "countries: {limit: 0}",
    "workers: 0",
    "workers: [10001]",
    "workers: 2.5",
    "keep_alive: 1",
    "keep_alive: 'yes'",
    "profile: dely",
    "profile: {scale: 2}",
    "profile: {preset: delay, jitter: 1ms}",
    "profile: {preset: delay, connect_latency: 20ms}",
    "profile: {connect_latency: 20}",
    "profile: {preset: delay, scale: 0}",
    "profile: {preset: delay, scale: 1001}",
    "profile: {name: delay}",
    "profile: {latency: {}}",
    "profile: {latency: {fixed: 5ms, uniform: [1ms, 2ms]}}",
    "profile: {latency: {uniform: [1ms]}}",
    "profile: {latency: {lognormal: {median: 1ms}}}",
    "profile: {latency: {sample: {column: time}}}",
    "profile: {latency: {sample: {file: latencies.txt, unit: h}}}",
    "profile: {sizes: 100}",
    "profile: {sizes: {}}",
    "profile: {sizes: {fixed: 1kB, sample: sizes.txt}}",
    "profile: {sizes: {lognormal: {median: 1kB}}}",
    "profile: {sizes: {sample: {file: sizes.txt, unit: ms}}}",
    "profile: {preset: delay, sizes: 1kB}",
    "profile: {faults: []}",
    "profile: {faults: stahl}",
    "profile: {faults: [stall, stall]}",
    "profile: {faults: status}",
    "profile: {faults: {kind: status}}",
    "profile: {faults: [{kind: stall, status: 503}]}",
    "profile: {http2: true}",
    "profile: {http2: true, tls: false}",
    "profile: {error_rate: 1.5}",
    "profile: {error_status: 399}",
    "profile: {bandwidth: 10}",
    "profile: local\nprofiles: [delay]",
    "rate: 50/s\nrates: [100, 200]",
    "rate: 0",
    "rate: 50/min",
    "rates: []",
    "rates: [50, 50]",
    "profiles: []",
    "blocks: 1001",
    "blocks: []",
    "blocks: {min: 8}",
    "blocks: {min: 8, max: 64}",
    "blocks: {min: 0, max: 64}\nprecision: 3%",
    "blocks: {max: 1001}",
    "blocks: {most: 64}",
    "blocks: 5\nprecision: 3%",
    "blocks: {max: 5}\nprecision: 3%",
    "blocks: {min: 5, max: 64}\nprecision: 3%",
    "precision: 0",
    "precision: 3",
    "precision: 5ms",
    "budget: 60",
    "probes: []",
    "probes: everything",
    "probes: [all]",
    "probes: [cpu, cpu]",
    "pinning: 1",
    "disturbed: true",
    "variants: main",
    "variants: [main]",
    "variants: [main, main, main]",
    "variants: [main, {rev: main, path: .}]",
    "variants: [main, {branch: main}]",
    "variants: [main, {rev: -x}]",
    "variants: [main, {rev: 'a b'}]",
    "variants: [main, {requirements: []}]",
    "variants: [main, {requirements: --pre}]",
    "variants: [main, [main]]",
    "metrics: []",
    "metrics: latency",
    "metrics: [cpu, cpu]",
    "thresholds: 5%",
    "thresholds: {}",
    "thresholds: {'*': []}",
    "thresholds: {'*': 5}",
    "thresholds: {'*': 5ms}",
    "thresholds: {'*': p98 < 80ms}",
    "thresholds: {'*': p99 << 80ms}",
    "thresholds: {'*': {p99: 80ms}}",
    "rounds: never",
    "deadline: 60",
    "seed: -1",
    "strategies: []",
)
TEXT_OUT_OF_RANGE: Final = (
    "workers: '010'",
    "workers: '10001'",
    "profile: {preset: delay, scale: 0%}",
    "profile: {preset: delay, scale: 0.00%}",
    "profile: {preset: delay, scale: '0'}",
    "profile: {preset: delay, scale: 100001%}",
    "profile: {latency: {lognormal: {median: 0ms, p99: 1s}}}",
    "profile: {error_rate: 500%}",
    "profile: {faults: [{kind: stall, rate: 0%}]}",
    "profile: {error_rate: 100.5%}",
    "profile: {error_rate: '1.5'}",
    "profile: {error_status: '600'}",
    "profile: {bandwidth: 0B}",
    "blocks: '1001'",
    "blocks: '5'\nprecision: 3%",
    "blocks: {min: '5', max: 64}\nprecision: 3%",
    "precision: 0%",
    "precision: '0.0'",
    "precision: 101%",
    "budget: 0s",
    "thresholds: {'*': 0%}",
    "thresholds: {'*': 101%}",
    "thresholds: {'*': p99 < 80}",
    "thresholds: {'*': p99 < 0ms}",
    "thresholds: {'*': p99 == 80ms}",
    "thresholds: {'*': memory < 80}",
    "thresholds: {'*': memory < 0B}",
    "thresholds: {'*': efficiency > 101%}",
    "thresholds: {'*': errors == 0%}",
    "thresholds: {'*': errors == 1000001}",
    "rounds: '1001'",
    "deadline: 0s",
    "deadline: 0.0ms",
    "deadline: 999999m",
    "deadline: 86401s",
    "deadline: 86400.1s",
)
"""An editor sees text of the right form; only the reader knows its range."""


@pytest.mark.parametrize("name", shipped_configs())
def test_editor_accepts_every_shipped_config(name: str) -> None:
    document = yaml.safe_load(find_config(name).read_text(encoding="utf-8"))
    assert [error.message for error in EDITOR.iter_errors(document)] == []


@pytest.mark.parametrize("text", GOOD)
def test_editor_accepts_what_the_reader_accepts(tmp_path: Path, text: str) -> None:
    file = _written(tmp_path, text)
    assert problems_of(file) == []
    assert [error.message for error in EDITOR.iter_errors(yaml.safe_load(file.read_text()))] == []


@pytest.mark.parametrize("text", BAD)
def test_editor_rejects_what_the_reader_rejects(tmp_path: Path, text: str) -> None:
    file = _written(tmp_path, text)
    assert problems_of(file)
    assert not EDITOR.is_valid(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("text", TEXT_OUT_OF_RANGE)
def test_reader_rejects_text_out_of_range(tmp_path: Path, text: str) -> None:
    assert problems_of(_written(tmp_path, text))


def _written(folder: Path, text: str) -> Path:
    (folder / "latencies.txt").write_text("5ms\n6ms\n", encoding="utf-8")
    (folder / "sizes.txt").write_text("5kB\n6kB\n", encoding="utf-8")
    file = folder / "c.yaml"
    file.write_text(text if text.startswith("strategies") else f"{SOUND}{text}\n")
    return file


def test_committed_schema_is_up_to_date() -> None:
    assert (paths.configs_folder() / "schema.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("name", ["", *schema()["$defs"]])
def test_each_key_has_a_short_description_without_links(name: str) -> None:
    """Editors show it where the key is written."""
    form = schema()["$defs"][name] if name else schema()
    for key, value in form["properties"].items():
        assert 2 < len(value["description"].split()) <= 45, key
        assert "](" not in value["description"], key


def test_schema_has_the_types_of_yaml() -> None:
    keys = schema()["properties"]
    assert keys["blocks"] == {
        "anyOf": [
            {"type": ["integer", "string"], "minimum": 1, "maximum": 1000, "pattern": "^[0-9]+$"},
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
