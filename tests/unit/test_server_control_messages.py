"""Test the JSON messages of the control channel."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import SetupError, UsageError
from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Uniform
from bench.model.json_codec import MalformedError, from_json_value, to_json_value
from bench.model.served_trials import ObservedRound
from bench.model.server_settings import ServerSettings
from bench.server.control_messages import error_from_json, error_to_json, from_line, to_line
from tests.builders import server_round

PLAIN = to_json_value(Profile("p"))


@pytest.mark.parametrize("latency", [Fixed(0.05), Uniform(0.5, 5), LogNormal(0.1, 0.4)])
def test_settings_survive_encoding(latency: Latency) -> None:
    profile = Profile("p*0.1", latency, jitter_s=0.01, bandwidth=2.5e6, faults=(Fault("status", 0.25, 503),))
    profile = replace(profile, connect_latency_s=0.02)
    settings = ServerSettings(profile, seed=7, flags_dir=Path("/flags"), host="::1", port=8000)
    for sent in (settings, replace(settings, flags_dir=None, profile=replace(profile, bandwidth=None))):
        received = from_line(to_line({"start": sent}))["start"]
        assert from_json_value(ServerSettings, received, "start") == sent


def test_observed_round_survives_encoding() -> None:
    said = ObservedRound(server_round(20, 5), 12.5, 12.6, 20, 0.4, 0.0012345, 0.01)
    received = from_line(to_line({"closed": said}))["closed"]
    assert from_json_value(ObservedRound, received, "closed") == said


@pytest.mark.parametrize("error", [UsageError("what", hint="do"), SetupError("port 1 is in use")])
def test_error_survives_encoding(error: UsageError | SetupError) -> None:
    """Its kind decides the exit code of the harness."""
    received = error_from_json(error_to_json(error)["error"])
    assert (type(received), str(received)) == (type(error), str(error))


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {key: value for key, value in PLAIN.items() if key != "latency"},
        PLAIN | {"colour": "red"},
        PLAIN | {"name": 1},
        PLAIN | {"error_status": True},
        PLAIN | {"error_status": 418.0},
        PLAIN | {"jitter_s": "1ms"},
        PLAIN | {"jitter_s": None},
        PLAIN | {"latency": 0.05},
        PLAIN | {"latency": {}},
        PLAIN | {"latency": {"fixed": {}}},
        PLAIN | {"latency": {"normal": {"seconds": 1}}},
        PLAIN | {"latency": {"fixed": {"seconds": 1}, "uniform": {"low_s": 0, "high_s": 1}}},
    ],
)
def test_profile_with_missing_unknown_or_mistyped_keys_is_refused(message: Any) -> None:
    with pytest.raises(MalformedError, match="profile"):
        from_json_value(Profile, message, "profile")


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b"\xff"])
def test_line_that_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises((UsageError, MalformedError), match=r"not a JSON"):
        from_line(line)
