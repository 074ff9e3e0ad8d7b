"""Hostile files: each ends in one plain error, soon and in little memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bundle import import_path
from bench.config import source
from bench.config.tree import Entries, plain
from bench.errors import ConfigError
from tests.config_catalog import problems_of

SOUND = "strategies: [sequential]\n"
CHECK = """
import sys, time
from pathlib import Path
from bench.__main__ import main
sys.argv = ["flagbench", "check", sys.argv[1]]
try:
    main()
finally:  # what the kernel counts for a child begins with the memory of its parent
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    print(time.process_time(), status["VmHWM"].split()[0])
"""


def _laughs(depth: int) -> str:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, depth)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "c.yaml:1:1: the file is empty; a config needs at least 'strategies'"),
        ("\n# nothing\n", "c.yaml:1:1: the file is empty; a config needs at least 'strategies'"),
        ("---\n", "c.yaml:2:1: the file is empty; a config needs at least 'strategies'"),
        ("hello", "c.yaml:1:1: must be a mapping of keys, not a single value"),
        ("- a\n- b\n", "c.yaml:1:1: must be a mapping of keys, not a list"),
        ("name:\n\tc: d", "c.yaml:2:1: not valid YAML: a tab; indent with spaces"),
        ("name: [a,", "c.yaml:2:1: not valid YAML: did not find expected node content"),
        ("name: a: b", "c.yaml:1:8: not valid YAML: mapping values are not allowed in this context"),
        ("name: a\0b", "c.yaml:1:8: the character '\\x00' cannot stand in a config"),
        ("name: x\nseed: \x1b[31m", "c.yaml:2:7: the character '\\x1b' cannot stand in a config"),
        ("name: é".encode("latin-1"), "c.yaml:1:7: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("name: é".encode("utf-32"), "c.yaml:1:1: the file is UTF-16 or UTF-32; save it as UTF-8"),
        ("name: é".encode("utf-16"), "c.yaml:1:1: the file is UTF-16 or UTF-32; save it as UTF-8"),
        ("name: a".encode("utf-32-le"), "c.yaml:1:2: the character '\\x00' cannot stand in a config"),
        ('name: "\\ud800"', "c.yaml:1:10: not valid YAML: found invalid Unicode character escape code"),
        (f"{SOUND}---\na: b\n", "c.yaml:2:1: a second document starts here; a config is one document"),
        ("%YAML 1.1\n---\na: b", "c.yaml:1:1: a line that starts with % is a directive; take it out"),
        ("name: *x\n" + SOUND, "c.yaml:1:7 name: the alias '*x' is not followed; write its value out"),
        ("name: &x y\n" + SOUND, "c.yaml:1:7 name: the anchor '&x' has no use here; take it out"),
        (
            "name: !!binary aGk=\n" + SOUND,
            "c.yaml:1:7 name: the tag 'tag:yaml.org,2002:binary' is not read; write the plain value",
        ),
        ("name: ! x\n" + SOUND, "c.yaml:1:7 name: the tag '!' is not read; write the plain value"),
        ("name: a\nname: b\n" + SOUND, "c.yaml:2:1 name: the key is there twice, first on line 1"),
        ("name:\n" + SOUND, "c.yaml:1:6 name: has no value; leave the key out to take its default"),
        ("name: ~\n" + SOUND, "c.yaml:1:7 name: has no value; leave the key out to take its default"),
        ("name: null\n" + SOUND, "c.yaml:1:7 name: has no value; leave the key out to take its default"),
        ("[a]: b\n" + SOUND, "c.yaml:1:1: a key must be a plain word"),
        ("1: 2\n" + SOUND, "c.yaml:1:1 '1': unknown key"),
        ("true: 2\n" + SOUND, "c.yaml:1:1 true: unknown key"),
        ("[" * 2000, "c.yaml:1:22 [0][0]: nested deeper than 20 levels"),
        ("name: " + "{a: " * 2000, "c.yaml:1:87 name.a: nested deeper than 20 levels"),
        ("x" * 2_000_000, "c.yaml: larger than 1 MiB; a config is a page or two"),
        (
            "seed: [" + "1, " * 2001 + "1]",
            "c.yaml:1:6002 seed[1998]: more than 2,000 values; a config has fewer",
        ),
    ],
)
def test_a_fault_of_form_is_told_with_its_place(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """One fault, one line: file, line, column, what."""
    file = tmp_path / "c.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert problems_of(file) == [problem]


@pytest.mark.parametrize(
    "text",
    [
        _laughs(30),
        "a: &a [*a]",
        "a: &a {x: 1}\nb: {<<: *a, <<: [*a, *a]}",
        "? " * 2000 + "a",
        "a: !!python/object/apply:os.system [echo]",
        "workers: !!set {1, 2}",
        "name: !!timestamp foo",
        "blocks: " + "9" * 5000,
        "name: " + "x" * 1_000_000,
        '"' + "x" * 1_000_000 + '": 1',
        "workers: [" + "1," * 500_000 + "]",
        "".join(f"bloks{i}: 1\n" for i in range(60_000)),
        "".join(f"%TAG !{i}! x\n" for i in range(60_000)) + "--- a\n",
        "strategies:\n" + "".join(f"- threadpool_mp{i}\n" for i in range(1990)),
        "profiles:\n" + "- {lateny: 1ms}\n" * 990,
        "strategies:\n" + "- {name: threadpool_map, keep_alive: [true, false]}\n" * 300,
        "name: !" + "x" * 1_000_000 + " a",
        "? a\n" * 250_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_bomb_ends_soon_and_small(tmp_path: Path, text: str) -> None:
    """Each is refused by a real process with exit code 2, in short printable lines, without much ado.

    It takes half a second and 60 MiB; three seconds of processor time leave room for a slow machine.
    """
    file = tmp_path / "c.yaml"
    file.write_text(text)
    result = subprocess.run(
        [sys.executable, "-c", CHECK, str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(import_path())},
        timeout=60,
    )
    assert result.returncode == 2
    problems = result.stderr.splitlines()
    assert 1 <= len(problems) <= 51
    assert all(problem.isprintable() and len(problem) < 400 for problem in problems)
    processor_s, peak_kib = map(float, result.stdout.split())
    assert processor_s < 3
    assert peak_kib < 200 * 1024


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """A FIFO has no end, a folder no bytes, a device too many."""
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    with (tmp_path / "large.yaml").open("wb") as large:
        large.truncate(100_000_000)
    assert problems_of(tmp_path / "fifo.yaml") == ["fifo.yaml: not a regular file; a config is a YAML file"]
    assert problems_of(tmp_path / "folder.yaml") == ["folder.yaml: a folder; a config is a YAML file"]
    assert problems_of(tmp_path / "device.yaml") == [
        "device.yaml: not a regular file; a config is a YAML file"
    ]
    assert problems_of(tmp_path / "large.yaml") == [
        "large.yaml: larger than 1 MiB; a config is a page or two"
    ]


def test_an_unreadable_path_is_named(tmp_path: Path) -> None:
    """A NUL or too long a name ends in the same kind of error as anything else."""
    for path in (Path("a\0b.yaml"), tmp_path / ("x" * 300 + ".yaml")):
        with pytest.raises(ConfigError, match="cannot be read"):
            source.read_file(path)


def test_all_scalars_stay_text() -> None:
    """Norway is no boolean, ninety no sexagesimal, and a byte order mark no character."""
    document = source.parse("\ufeffNO: [NO, 1:30, 010, 1e3, 'null', on]\n".encode())
    assert isinstance(document.root, Entries)
    assert not document.problems
    assert plain(document.root) == {"NO": ["NO", "1:30", "010", "1e3", "null", "on"]}
