"""Sizes of bodies in a config: a fixed one, a distribution, or values from a file."""

from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.model.body_sizes import BodySizes, FixedSize, LogNormalSize, SampledSize
from bench.model.cases import Profile
from tests.config_catalog import experiment_of


def load(tmp_path: Path, text: str) -> tuple[Profile, tuple[str, ...]]:
    """Return the profile of the only case of a config, and the notes."""
    file = tmp_path / "test.yaml"
    file.write_text(f"{text}clients: requests\nstrategies: sequential\n", "utf-8")
    experiment = experiment_of(file)
    (case,) = experiment.cases
    return case.profile, experiment.notes


@pytest.mark.parametrize(
    ("written", "name", "sizes"),
    [
        ("100KiB", "0ms+100KiB-bodies", FixedSize(102_400)),
        ("{fixed: 1kB}", "0ms+1kB-bodies", FixedSize(1_000)),
        ("{fixed: 10MiB}", "0ms+10MiB-bodies", FixedSize(10_485_760)),
        ("1000.4B", "0ms+1kB-bodies", FixedSize(1_000)),
        (
            "{lognormal: {median: 20KiB, p99: 1MiB}}",
            "0ms+20KiB-p99-1MiB-bodies",
            LogNormalSize(20_480, 1 << 20),
        ),
        ("{sample: sizes.txt}", "0ms+sample-4kB-p99-48.9kB-bodies", SampledSize((1_000, 4_000, 49_806))),
        (
            "{sample: {file: log.csv, column: bytes, unit: B}}",
            "0ms+sample-2kB-p99-7.88kB-bodies",
            SampledSize((1_500, 2_000, 8_000)),
        ),
    ],
)
def test_sizes_are_read_and_name_the_profile(
    tmp_path: Path, written: str, name: str, sizes: BodySizes
) -> None:
    (tmp_path / "sizes.txt").write_text("4kB\n1kB\n48.639KiB\n", "utf-8")
    (tmp_path / "log.csv").write_text("path,bytes\n/a,2000\n/b,8000\n/c,1500\n", "utf-8")
    profile, _ = load(tmp_path, f"profile: {{sizes: {written}}}\n")
    assert profile == Profile(name, sizes=sizes)


def test_name_tells_sizes_from_a_bandwidth(tmp_path: Path) -> None:
    profile, _ = load(tmp_path, "profile: {latency: 10ms, bandwidth: 100KiB, sizes: 100KiB}\n")
    assert profile.name == "10ms+100KiB+100KiB-bodies"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: {sizes: 999B}", "profile.sizes: must be a size from 1kB to 10MiB, not '999B'"),
        ("profile: {sizes: 10.001MiB}", "must be a size from 1kB to 10MiB, not '10.001MiB'"),
        ("profile: {sizes: 10}", "must be a size such as 10KiB, 2MiB or 10kB, not '10'"),
        ("profile: {sizes: {}}", "must have exactly one of the keys fixed, lognormal and sample"),
        ("profile: {sizes: {fixd: 1kB}}", "profile.sizes.fixd: unknown key; did you mean 'fixed'?"),
        ("profile: {sizes: {lognormal: {median: 2kB, p99: 1kB}}}", "p99 is below the median"),
        ("profile: {sizes: {lognormal: {median: 2kB, p99: 1GiB}}}", "must be a size from 1kB to 10MiB"),
        ("profile: {sizes: {sample: small.txt}}", "line 2 must be a size from 1kB to 10MiB, not '0.5kB'"),
        ("profile: {sizes: {sample: bare.txt}}", "line 1 has a number without a unit, '2000'; add 'unit'"),
        ("profile: {preset: local, sizes: 1kB}", "profile.sizes: cannot be combined with 'preset'"),
        (
            "flags_dir: flags\nprofiles: [local, {name: big, sizes: 1MiB}]",
            "1:12 flags_dir: cannot be combined with the 'sizes' of profile big, which take the place",
        ),
        ("target: 'http://127.0.0.1:9'\nprofile: {sizes: 1kB}", "target: cannot be combined with a profile"),
        (
            "profile: {latency: 1s, bandwidth: 1MiB, sizes: 10MiB}",
            "profile: takes 10s for a body of 10MiB at 1MiB/s, but request_timeout is 10s",
        ),
        (
            "profile: {sizes: 1MiB, faults: [{kind: stall, rate: 1%}, {kind: surplus_bytes, rate: 1%}]}",
            "profile.faults[1]: surplus_bytes cannot be combined with 'sizes'",
        ),
        ("profiles: [{sizes: 1kB}, {sizes: 1000B}]", "another profile is also named '0ms+1kB-bodies'"),
    ],
)
def test_wrong_sizes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "flags").mkdir()
    (tmp_path / "small.txt").write_text("2kB\n0.5kB\n", "utf-8")
    (tmp_path / "bare.txt").write_text("2000\n3000\n", "utf-8")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, f"{text}\n")
    assert message in str(raised.value)


def test_bodies_that_take_longer_than_the_time_out_are_noted(tmp_path: Path) -> None:
    _, notes = load(
        tmp_path,
        "profile: {name: thin, latency: 10ms, bandwidth: 1MiB,\n"
        "          sizes: {lognormal: {median: 10KiB, p99: 10MiB}}}\n",
    )
    assert (
        "Profile thin: one answer of a hundred takes more than 10.01s, and request_timeout is 10s"
        in "".join(notes)
    )
