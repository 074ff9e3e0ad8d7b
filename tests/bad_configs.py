"""Configs that must be refused, by kind of fault, each with the exact line that says why.

They are data: what is done with them is the business of the tests.
"""

# ruff: noqa: E501  a line that is told is best read unbroken

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "c.yaml"
SOUND: Final = "strategies: [sequential]\n"
POOL: Final = "strategies: [threadpool_map]\n"
MEGABYTE: Final = "x" * 1_000_000

_NAME: Final = (
    "must be at most 64 letters, digits, dots, dashes and underscores, a letter or digit first, not"
)
_WORKERS: Final = "1:10 workers: must be a whole number from 1 to 10000, not"
_BLOCKS: Final = "1:9 blocks: must be a whole number from 1 to 1000, not"
_SEED: Final = "1:7 seed: must be a whole number from 0 to 999999999999999, not"
_DURATION: Final = "must be a duration such as 50ms, 1.5s or 2m, not"
_NO_FOLDER: Final = "1:12 flags_dir: no such folder, counted from the config's folder:"
_TAG: Final = "is not read; write the plain value"
_X: Final = f"{'x' * 57}..."


@dataclass(frozen=True, slots=True)
class BadConfig:
    """One config that is refused.

    Attributes:
        told: the first line about it, after the file's name and a colon.
        more: how many lines follow.
    """

    name: str
    content: str | bytes
    told: str
    more: int = 0

    def lay(self, file: Path) -> None:
        """Write it where it is looked for."""
        file.write_bytes(self.content if isinstance(self.content, bytes) else self.content.encode())


@dataclass(frozen=True, slots=True)
class NoConfig:
    """Something else in the place of a file, or nothing; like a ``BadConfig`` otherwise."""

    name: str
    put: Callable[[Path], object]
    told: str
    more: int = 0

    def lay(self, file: Path) -> None:
        """Put it where a config is looked for."""
        self.put(file)


def _hundred_megabytes(file: Path) -> None:
    with file.open("wb") as large:
        large.truncate(100_000_000)


def _socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(os.path.relpath(file))


def _laughs(depth: int) -> str:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, depth)]
    return "\n".join(lines) + "\n"


FILES: Final = (
    NoConfig("missing", lambda file: file, " no such file"),
    NoConfig(
        "missing, one is near",
        lambda file: file.with_name("b.yaml").touch(),
        " no such file; did you mean 'b.yaml'?",
    ),
    NoConfig("link to nothing", lambda file: file.symlink_to("nothing"), " no such file"),
    NoConfig(
        "link to itself",
        lambda file: file.symlink_to(file),
        " cannot be read: Too many levels of symbolic links",
    ),
    NoConfig("FIFO", os.mkfifo, " not a regular file; a config is a YAML file"),
    NoConfig("folder", Path.mkdir, " a folder; a config is a YAML file"),
    NoConfig(
        "device", lambda file: file.symlink_to("/dev/zero"), " not a regular file; a config is a YAML file"
    ),
    NoConfig("socket", _socket, " not a regular file; a config is a YAML file"),
    NoConfig("100 MB", _hundred_megabytes, " larger than 1 MiB; a config is a page or two"),
)

SYNTAX: Final = (
    BadConfig("empty", "", "1:1: the file is empty; a config needs at least 'strategies'"),
    BadConfig(
        "only comments", "# nothing\n\n", "1:1: the file is empty; a config needs at least 'strategies'"
    ),
    BadConfig("only a start", "---\n", "2:1: the file is empty; a config needs at least 'strategies'"),
    BadConfig("scalar root", "hello\n", "1:1: must be a mapping of keys, not a single value"),
    BadConfig("number root", "42\n", "1:1: must be a mapping of keys, not a single value"),
    BadConfig("list root", "- name: x\n", "1:1: must be a mapping of keys, not a list"),
    BadConfig("tab", "countries:\n\tcodes: all\n", "2:1: not valid YAML: a tab; indent with spaces"),
    BadConfig(
        "unclosed list", "strategies: [sequential\n", "2:1: not valid YAML: did not find expected ',' or ']'"
    ),
    BadConfig(
        "unclosed mapping",
        "profile: {latency: 5ms\n" + SOUND,
        "2:11: not valid YAML: did not find expected ',' or '}'",
    ),
    BadConfig(
        "unclosed quote", 'name: "mine\n' + SOUND, "3:1: not valid YAML: found unexpected end of stream"
    ),
    BadConfig(
        "unopened",
        "strategies: sequential]\n",
        "1:13 strategies: unknown strategy 'sequential]'; did you mean 'sequential'?",
    ),
    BadConfig(
        "colon in a value",
        "name: a: b\n" + SOUND,
        "1:8: not valid YAML: mapping values are not allowed in this context",
    ),
    BadConfig("no space", "strategies:[sequential]\n", "1:1: must be a mapping of keys, not a single value"),
    BadConfig(
        "wrong indent",
        "profile:\n  latency: 5ms\n bandwidth: 1MiB\n" + SOUND,
        "3:2: not valid YAML: did not find expected key",
    ),
    BadConfig(
        "pattern without quotes",
        "thresholds:\n  */requests/*: 5%\n" + SOUND,
        "2:4: not valid YAML: what begins with * is an alias; put it in quotes",
    ),
    BadConfig(
        "control character", "name: a\x07b\n" + SOUND, "1:8: the character '\\x07' cannot stand in a config"
    ),
    BadConfig(
        "escape character",
        "name: \x1b[31mred\n" + SOUND,
        "1:7: the character '\\x1b' cannot stand in a config",
    ),
    BadConfig("NUL", "name: a\0b\n" + SOUND, "1:8: the character '\\x00' cannot stand in a config"),
    BadConfig(
        "byte order mark inside",
        "name: a\ufeffb\n" + SOUND,
        "1:8: the character '\\ufeff' cannot stand in a config",
    ),
    BadConfig("delete", "name: a\x7fb\n" + SOUND, "1:8: the character '\\x7f' cannot stand in a config"),
    BadConfig(
        "Latin-1",
        "name: caf\xe9\n".encode("latin-1") + SOUND.encode(),
        "1:10: byte 0xe9 is not UTF-8; save the file as UTF-8",
    ),
    BadConfig(
        "UTF-16",
        ("name: x\n" + SOUND).encode("utf-16"),
        "1:1: the file is UTF-16 or UTF-32; save it as UTF-8",
    ),
    BadConfig(
        "UTF-32",
        ("name: x\n" + SOUND).encode("utf-32"),
        "1:1: the file is UTF-16 or UTF-32; save it as UTF-8",
    ),
    BadConfig(
        "UTF-32 without a mark",
        ("name: x\n" + SOUND).encode("utf-32-le"),
        "1:2: the character '\\x00' cannot stand in a config",
    ),
    BadConfig(
        "surrogate in UTF-8",
        b"name: \xed\xa0\x80\n" + SOUND.encode(),
        "1:7: byte 0xed is not UTF-8; save the file as UTF-8",
    ),
    BadConfig("binary", bytes(range(256)), "2:118: byte 0x80 is not UTF-8; save the file as UTF-8"),
    BadConfig(
        "undefined alias",
        "name: *mine\n" + SOUND,
        "1:7 name: the alias '*mine' is not followed; write its value out",
    ),
    BadConfig(
        "defined alias",
        "name: &a mine\nseed: *a\n" + SOUND,
        "1:7 name: the anchor '&a' has no use here; take it out",
        1,
    ),
    BadConfig(
        "several documents",
        SOUND + "---\n" + SOUND,
        "2:1: a second document starts here; a config is one document",
    ),
    BadConfig(
        "end then more",
        SOUND + "...\nname: x\n",
        "3:1: not valid YAML: did not find expected <document start>",
    ),
    BadConfig(
        "directive", "%YAML 1.1\n---\n" + SOUND, "1:1: a line that starts with % is a directive; take it out"
    ),
)
BOMBS: Final = (
    BadConfig("billion laughs", _laughs(10), "1:1 strategies: is missing", 50),
    BadConfig(
        "self-reference",
        "strategies: &a [*a]\n",
        "1:13 strategies: the anchor '&a' has no use here; take it out",
        1,
    ),
    BadConfig(
        "self-reference by key",
        "&a a: *a\n" + SOUND,
        "1:1 a: the anchor '&a' has no use here; take it out",
        1,
    ),
    BadConfig(
        "merge bomb",
        "a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\nc: {<<: [*b, *b, *b]}\n" + SOUND,
        "1:1 a: unknown key",
        10,
    ),
    BadConfig("merge key", "<<: {name: x}\n" + SOUND, "1:1 '<<': unknown key"),
    BadConfig(
        "2,000 lists deep",
        "strategies: " + "[" * 2000 + "]" * 2000 + "\n",
        "1:33 strategies[0]: nested deeper than 20 levels",
    ),
    BadConfig(
        "2,000 mappings deep",
        "profile: " + "{a: " * 2000 + "}" * 2000 + "\n" + SOUND,
        "1:90 profile.a: nested deeper than 20 levels",
    ),
    BadConfig("2,000 block lists deep", "- " * 2000 + "a\n", "1:43 [0][0]: nested deeper than 20 levels"),
    BadConfig("2,000 keys deep", "? " * 2000 + "a\n", "1:3: a key must be a plain word", 21),
    BadConfig(
        "5,000-digit integer",
        "blocks: " + "9" * 5000 + "\n" + SOUND,
        f"{_BLOCKS} '999999999999999999999999999999999999999999999999999999999...'",
    ),
    BadConfig(
        "5,000-digit seed",
        "seed: " + "1" * 5000 + "\n" + SOUND,
        f"{_SEED} '111111111111111111111111111111111111111111111111111111111...'",
    ),
    BadConfig(
        "5,000 digits of a duration",
        "deadline: " + "1" * 5000 + "s\n" + SOUND,
        f"1:11 deadline: {_DURATION} '111111111111111111111111111111111111111111111111111111111...'",
    ),
    BadConfig(
        "5,000 decimals",
        "deadline: 0." + "1" * 5000 + "s\n" + SOUND,
        f"1:11 deadline: {_DURATION} '0.1111111111111111111111111111111111111111111111111111111...'",
    ),
    BadConfig("1 MB value", "name: " + MEGABYTE + "\n" + SOUND, f"1:7 name: {_NAME} '{_X}'"),
    BadConfig(
        "1 MB key",
        MEGABYTE + ": 1\n" + SOUND,
        "1:1000001: not valid YAML: mapping values are not allowed in this context",
    ),
    BadConfig(
        "1 MB quoted key",
        '"' + MEGABYTE + '": 1\n' + SOUND,
        "1:1000003: not valid YAML: mapping values are not allowed in this context",
    ),
    BadConfig(
        "1 MB tag",
        "name: !" + MEGABYTE + " a\n" + SOUND,
        f"1:7 name: the tag '!xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' {_TAG}",
    ),
    BadConfig(
        "1 MB anchor",
        "name: &" + MEGABYTE + " a\n" + SOUND,
        "1:7 name: the anchor '&xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' has no use here; take it out",
    ),
    BadConfig(
        "500,000 values",
        "workers: [" + "1," * 500_000 + "]\n" + SOUND,
        "1:4007 workers[1998]: more than 2,000 values; a config has fewer",
    ),
    BadConfig(
        "60,000 typos",
        "".join(f"bloks{i}: 1\n" for i in range(60_000)),
        "2000:12 bloks1999: more than 2,000 values; a config has fewer",
    ),
    BadConfig(
        "1,900 typos of a strategy",
        "strategies:\n" + "".join(f"- threadpool_mp{i}\n" for i in range(1900)),
        "2:3 strategies[0]: unknown strategy 'threadpool_mp0'; did you mean 'threadpool_map'?",
        50,
    ),
    BadConfig(
        "990 profiles",
        "profiles:\n" + "- {lateny: 1ms}\n" * 990 + SOUND,
        "2:4 profiles[0].lateny: unknown key; did you mean 'latency'?",
        50,
    ),
    BadConfig(
        "300 times the same",
        "strategies:\n" + "- {name: threadpool_map, keep_alive: [true, false]}\n" * 300,
        "3:3 strategies[1]: is there twice",
        50,
    ),
    BadConfig(
        "250,000 complex keys",
        "? a\n" * 250_000,
        "2:1 a: has no value; leave the key out to take its default",
        50,
    ),
    BadConfig(
        "60,000 directives",
        "".join(f"%TAG !{i}! x\n" for i in range(60_000)) + "--- a\n",
        "1:1: a line that starts with % is a directive; take it out",
    ),
    BadConfig(
        "1 MB comment",
        "#" + MEGABYTE + "\nname: [\n",
        "3:1: not valid YAML: did not find expected node content",
    ),
    BadConfig(
        "500,000 lines",
        "\n" * 500_000 + "name: [\n",
        "500002:1: not valid YAML: did not find expected node content",
    ),
    BadConfig(
        "unclosed 1 MB quote",
        'name: "' + MEGABYTE,
        "1:1000008: not valid YAML: found unexpected end of stream",
    ),
)
TAGS: Final = (
    BadConfig(
        "python apply",
        "name: !!python/object/apply:os.system [echo owned]\n" + SOUND,
        f"1:7 name: the tag 'tag:yaml.org,2002:python/object/apply:os.system' {_TAG}",
    ),
    BadConfig(
        "python new",
        "name: !!python/object/new:os.system [echo owned]\n" + SOUND,
        f"1:7 name: the tag 'tag:yaml.org,2002:python/object/new:os.system' {_TAG}",
    ),
    BadConfig(
        "python name",
        "name: !!python/name:os.system\n" + SOUND,
        f"1:7 name: the tag 'tag:yaml.org,2002:python/name:os.system' {_TAG}",
    ),
    BadConfig(
        "binary", "name: !!binary aGVsbG8=\n" + SOUND, f"1:7 name: the tag 'tag:yaml.org,2002:binary' {_TAG}"
    ),
    BadConfig(
        "bad binary", "name: !!binary '*'\n" + SOUND, f"1:7 name: the tag 'tag:yaml.org,2002:binary' {_TAG}"
    ),
    BadConfig(
        "set", "workers: !!set {1, 2}\n" + SOUND, f"1:10 workers: the tag 'tag:yaml.org,2002:set' {_TAG}", 2
    ),
    BadConfig(
        "timestamp foo",
        "name: !!timestamp foo\n" + SOUND,
        f"1:7 name: the tag 'tag:yaml.org,2002:timestamp' {_TAG}",
    ),
    BadConfig(
        "integer", "blocks: !!int '5'\n" + SOUND, f"1:9 blocks: the tag 'tag:yaml.org,2002:int' {_TAG}"
    ),
    BadConfig("text", "name: !!str 5\n" + SOUND, f"1:7 name: the tag 'tag:yaml.org,2002:str' {_TAG}"),
    BadConfig(
        "ordered map",
        "profile: !!omap [latency: 5ms]\n" + SOUND,
        f"1:10 profile: the tag 'tag:yaml.org,2002:omap' {_TAG}",
    ),
    BadConfig("own", "name: !mine x\n" + SOUND, f"1:7 name: the tag '!mine' {_TAG}"),
    BadConfig(
        "verbatim",
        "name: !<tag:example.com,2000:x> x\n" + SOUND,
        f"1:7 name: the tag 'tag:example.com,2000:x' {_TAG}",
    ),
    BadConfig("bare", "name: ! x\n" + SOUND, f"1:7 name: the tag '!' {_TAG}"),
    BadConfig("on the root", "!!map\n" + SOUND, f"1:1: the tag 'tag:yaml.org,2002:map' {_TAG}"),
    BadConfig("on a key", "!!str name: x\n" + SOUND, f"1:1 name: the tag 'tag:yaml.org,2002:str' {_TAG}"),
    BadConfig(
        "undefined handle", "name: !e!x x\n" + SOUND, "1:7: not valid YAML: found undefined tag handle"
    ),
)
KEYS: Final = (
    BadConfig("twice", "name: a\nname: b\n" + SOUND, "2:1 name: the key is there twice, first on line 1"),
    BadConfig(
        "twice within",
        "countries: {codes: all, limit: 5, codes: pop20}\n" + SOUND,
        "1:35 countries.codes: the key is there twice, first on line 1",
    ),
    BadConfig("unknown", "colour: blue\n" + SOUND, "1:1 colour: unknown key"),
    BadConfig("unknown within", "profile: {colour: blue}\n" + SOUND, "1:11 profile.colour: unknown key"),
    BadConfig("typo", "blokcs: 3\n" + SOUND, "1:1 blokcs: unknown key; did you mean 'blocks'?"),
    BadConfig("typo of case", "Workers: 5\n" + SOUND, "1:1 Workers: unknown key; did you mean 'workers'?"),
    BadConfig(
        "typo with a dash",
        "request-timeout: 5s\n" + SOUND,
        "1:1 'request-timeout': unknown key; did you mean 'request_timeout'?",
    ),
    BadConfig(
        "typo in countries",
        "countries: {cods: all}\n" + SOUND,
        "1:13 countries.cods: unknown key; did you mean 'codes'?",
    ),
    BadConfig(
        "typo in a strategy", "strategies: [{nmae: sequential}]\n", "1:14 strategies[0].name: is missing", 1
    ),
    BadConfig(
        "typo in a profile",
        "profile: {latncy: 5ms}\n" + SOUND,
        "1:11 profile.latncy: unknown key; did you mean 'latency'?",
    ),
    BadConfig(
        "typo in a latency",
        "profile: {latency: {fixd: 5ms}}\n" + SOUND,
        "1:21 profile.latency.fixd: unknown key; did you mean 'fixed'?",
    ),
    BadConfig(
        "typo in lognormal",
        "profile: {latency: {lognormal: {medain: 5ms, p99: 9ms}}}\n" + SOUND,
        "1:32 profile.latency.lognormal.median: is missing",
        1,
    ),
    BadConfig(
        "typo in blocks", "blocks: {min: 5, mx: 9}\nbudget: 9s\n" + SOUND, "1:9 blocks.max: is missing", 1
    ),
    BadConfig(
        "typo in a variant",
        "variants: [main, {pyhton: 3.13}]\n" + SOUND,
        "1:19 variants[1].pyhton: unknown key; did you mean 'python'?",
    ),
    BadConfig(
        "pattern that fits no case",
        "thresholds: {'sequental/*': 5%}\n" + SOUND,
        "1:14 thresholds.'sequental/*': fits no case; did you mean 'sequential/*'?",
    ),
    BadConfig(
        "pattern without the rest of an id",
        "thresholds:\n  sequential: 5%\n" + SOUND,
        "2:3 thresholds.sequential: fits no case; did you mean 'sequential/*'?",
    ),
    BadConfig("integer", "1: 2\n" + SOUND, "1:1 '1': unknown key"),
    BadConfig("float", "1.5: 2\n" + SOUND, "1:1 '1.5': unknown key"),
    BadConfig("truth", "true: 2\n" + SOUND, "1:1 true: unknown key"),
    BadConfig("null", "~: 2\n" + SOUND, "1:1 '~': unknown key"),
    BadConfig("empty", ": 2\n" + SOUND, "1:1: not valid YAML: did not find expected key"),
    BadConfig("list", "[a, b]: 2\n" + SOUND, "1:1: a key must be a plain word"),
    BadConfig("mapping", "{a: b}: 2\n" + SOUND, "1:1: a key must be a plain word"),
    BadConfig("complex", "? - a\n: 2\n" + SOUND, "1:3: a key must be a plain word"),
    BadConfig("missing", "name: x\n", "1:1 strategies: is missing"),
)
VALUES: Final = (
    BadConfig("octal", "workers: 010\n" + POOL, f"{_WORKERS} '010'"),
    BadConfig("sexagesimal", "workers: 1:30\n" + POOL, f"{_WORKERS} '1:30'"),
    BadConfig("exponent", "workers: 1e3\n" + POOL, f"{_WORKERS} '1e3'"),
    BadConfig("underscore", "workers: 1_000\n" + POOL, f"{_WORKERS} '1_000'"),
    BadConfig("hexadecimal", "workers: 0x10\n" + POOL, f"{_WORKERS} '0x10'"),
    BadConfig("plus", "workers: +5\n" + POOL, f"{_WORKERS} '+5'"),
    BadConfig("other digits", "workers: \uff15\n" + POOL, f"{_WORKERS} '\\uff15'"),
    BadConfig("NaN workers", "workers: .nan\n" + POOL, f"{_WORKERS} '.nan'"),
    BadConfig(
        "NaN rate",
        "profile: {error_rate: NaN}\n" + POOL,
        "1:23 profile.error_rate: must be a share such as 5% or 0.05, not 'NaN'",
    ),
    BadConfig("NaN deadline", "deadline: nans\n" + POOL, f"1:11 deadline: {_DURATION} 'nans'"),
    BadConfig("Inf workers", "workers: .inf\n" + POOL, f"{_WORKERS} '.inf'"),
    BadConfig("Inf deadline", "deadline: inf\n" + POOL, f"1:11 deadline: {_DURATION} 'inf'"),
    BadConfig(
        "Inf factor",
        "profile: {preset: delay, scale: Infinity}\n" + POOL,
        "1:33 profile.scale: must be a share such as 5% or 0.05, not 'Infinity'",
    ),
    BadConfig("true as a number", "workers: true\n" + POOL, f"{_WORKERS} 'true'"),
    BadConfig("yes as a number", "blocks: yes\n" + POOL, f"{_BLOCKS} 'yes'"),
    BadConfig("number as truth", "pinning: 1\n" + POOL, "1:10 pinning: must be true or false, not '1'"),
    BadConfig(
        "null", "workers: null\n" + POOL, "1:10 workers: has no value; leave the key out to take its default"
    ),
    BadConfig(
        "nothing", "workers:\n" + POOL, "1:9 workers: has no value; leave the key out to take its default"
    ),
    BadConfig(
        "tilde", "blocks: ~\n" + POOL, "1:9 blocks: has no value; leave the key out to take its default"
    ),
    BadConfig("float workers", "workers: 2.5\n" + POOL, f"{_WORKERS} '2.5'"),
    BadConfig("whole float workers", "workers: 2.0\n" + POOL, f"{_WORKERS} '2.0'"),
    BadConfig("zero workers", "workers: 0\n" + POOL, f"{_WORKERS} '0'"),
    BadConfig("negative workers", "workers: -5\n" + POOL, f"{_WORKERS} '-5'"),
    BadConfig("a billion workers", "workers: 1000000000\n" + POOL, f"{_WORKERS} '1000000000'"),
    BadConfig("workers twice", "workers: [5, 5]\n" + POOL, "1:14 workers[1]: is there twice"),
    BadConfig("no workers", "workers: []\n" + POOL, "1:10 workers: must not be empty"),
    BadConfig("text workers", "workers: many\n" + POOL, f"{_WORKERS} 'many'"),
    BadConfig(
        "mapping as workers",
        "workers: {a: 1}\n" + POOL,
        "1:10 workers: must be a single value, not a mapping",
    ),
    BadConfig("no countries", "countries: []\n" + POOL, "1:12 countries: must not be empty"),
    BadConfig("no codes", "countries: {codes: []}\n" + POOL, "1:20 countries.codes: must not be empty"),
    BadConfig(
        "limit of zero",
        "countries: {codes: all, limit: 0}\n" + POOL,
        "1:32 countries.limit: must be a whole number from 1 to 1000000, not '0'",
    ),
    BadConfig("a country twice", "countries: [BR, CN, BR]\n" + POOL, "1:21 countries[2]: is there twice"),
    BadConfig(
        "small country",
        "countries: [br]\n" + POOL,
        "1:13 countries[0]: must be a code of two capital letters, not 'br'; did you mean 'BR'?",
    ),
    BadConfig(
        "long country",
        "countries: [BRA]\n" + POOL,
        "1:13 countries[0]: must be a code of two capital letters, not 'BRA'",
    ),
    BadConfig(
        "unknown set",
        "countries: pop2O\n" + POOL,
        "1:12 countries: must be pop20, all, every, a letter or a list of codes, not 'pop2O'; did you mean 'pop20'?",
    ),
    BadConfig(
        "too many fetches",
        "countries: {codes: all, repeat: 1000000}\n" + POOL,
        "1:12 countries: makes 194,000,000 fetches a round, at most 1,000,000",
    ),
    BadConfig(
        "unknown strategy",
        "strategies: [gevent_pool]\n",
        "1:14 strategies[0]: unknown strategy 'gevent_pool'",
    ),
    BadConfig(
        "typo of a strategy",
        "strategies: [threadpol_map]\n",
        "1:14 strategies[0]: unknown strategy 'threadpol_map'; did you mean 'threadpool_map'?",
    ),
    BadConfig(
        "strategy twice", "strategies: [sequential, sequential]\n", "1:26 strategies[1]: is there twice"
    ),
    BadConfig("no strategies", "strategies: []\n", "1:13 strategies: must not be empty"),
    BadConfig(
        "strategy file missing",
        "strategies: [mine.py]\n",
        "1:14 strategies[0]: no such file, counted from the config's folder: 'mine.py'",
    ),
    BadConfig("unknown client", "clients: [gevent]\n" + POOL, "1:11 clients[0]: unknown client 'gevent'"),
    BadConfig(
        "typo of a client",
        "clients: [aoihttp]\n" + POOL,
        "1:11 clients[0]: unknown client 'aoihttp'; did you mean 'aiohttp'?",
    ),
    BadConfig(
        "typo of a preset",
        "profile: dealy\n" + POOL,
        "1:10 profile: unknown profile 'dealy'; did you mean 'delay'?",
    ),
    BadConfig(
        "unknown preset",
        "profile: moon\n" + POOL,
        "1:10 profile: unknown profile 'moon'; the presets are local, delay or error",
    ),
    BadConfig(
        "typo of a probe",
        "probes: [cpus]\n" + POOL,
        "1:10 probes[0]: unknown probe 'cpus'; did you mean 'cpu'?",
    ),
    BadConfig(
        "typo of a fate",
        "disturbed: kepe\n" + POOL,
        "1:12 disturbed: must be refuse or keep, not 'kepe'; did you mean 'keep'?",
    ),
    BadConfig(
        "client that does not fit",
        "strategies: [{name: sequential, clients: aiohttp}]\n",
        "1:42 strategies[0].clients: sequential needs a synchronous client, which aiohttp is not",
    ),
    BadConfig(
        "no case",
        "clients: [aiohttp]\n" + POOL,
        "2:14 strategies[0]: threadpool_map would have no case: it needs a synchronous client such as httpx or requests or urllib3 in 'clients'",
    ),
    BadConfig("zero blocks", "blocks: 0\n" + POOL, f"{_BLOCKS} '0'"),
    BadConfig("negative blocks", "blocks: -1\n" + POOL, f"{_BLOCKS} '-1'"),
    BadConfig("too many blocks", "blocks: 1001\n" + POOL, f"{_BLOCKS} '1001'"),
    BadConfig(
        "zero rounds",
        "rounds: 0\n" + POOL,
        "1:9 rounds: must be auto or a whole number from 1 to 1000, not '0'",
    ),
    BadConfig(
        "blocks upside down", "blocks: {min: 9, max: 8}\nbudget: 9s\n" + POOL, "1:15 blocks.min: is above max"
    ),
    BadConfig(
        "timeout below the latency",
        "request_timeout: 1s\nprofile: {latency: 2s}\n" + POOL,
        "2:10 profile: waits 2s, but request_timeout is 1s",
    ),
    BadConfig(
        "zero timeout",
        "request_timeout: 0s\n" + POOL,
        "1:18 request_timeout: must be more than zero, not '0s'",
    ),
    BadConfig(
        "negative timeout", "request_timeout: -1s\n" + POOL, f"1:18 request_timeout: {_DURATION} '-1s'"
    ),
    BadConfig(
        "timeout without a unit", "request_timeout: 5\n" + POOL, f"1:18 request_timeout: {_DURATION} '5'"
    ),
    BadConfig("timeout in hours", "request_timeout: 1h\n" + POOL, f"1:18 request_timeout: {_DURATION} '1h'"),
    BadConfig(
        "longer than a day", "deadline: 1441m\n" + POOL, "1:11 deadline: must be at most a day, not '1441m'"
    ),
    BadConfig(
        "probability above 1",
        "profile: {error_rate: 1.5}\n" + POOL,
        "1:23 profile.error_rate: must be from 0% to 100%, not '1.5'; did you mean '1.5%'?",
    ),
    BadConfig(
        "probability above 100 %",
        "profile: {error_rate: 150%}\n" + POOL,
        "1:23 profile.error_rate: must be from 0% to 100%, not '150%'",
    ),
    BadConfig(
        "negative probability",
        "profile: {error_rate: -5%}\n" + POOL,
        "1:23 profile.error_rate: must be a share such as 5% or 0.05, not '-5%'",
    ),
    BadConfig(
        "error that is none",
        "profile: {error_status: 200}\n" + POOL,
        "1:25 profile.error_status: must be a whole number from 400 to 599, not '200'",
    ),
    BadConfig(
        "negative latency", "profile: {latency: -5ms}\n" + POOL, f"1:20 profile.latency: {_DURATION} '-5ms'"
    ),
    BadConfig(
        "latency upside down",
        "profile: {latency: {uniform: [9ms, 5ms]}}\n" + POOL,
        "1:30 profile.latency.uniform: the lowest latency is above the highest",
    ),
    BadConfig(
        "p99 below the median",
        "profile: {latency: {lognormal: {median: 9ms, p99: 5ms}}}\n" + POOL,
        "1:32 profile.latency.lognormal: p99 is below the median",
    ),
    BadConfig(
        "no latency",
        "profile: {latency: {}}\n" + POOL,
        "1:20 profile.latency: must have exactly one of the keys fixed, uniform and lognormal",
    ),
    BadConfig(
        "zero bandwidth",
        "profile: {bandwidth: 0B}\n" + POOL,
        "1:22 profile.bandwidth: must be more than zero, not '0B'",
    ),
    BadConfig(
        "zero precision",
        "blocks: {max: 9}\nprecision: 0%\n" + POOL,
        "2:12 precision: must be more than zero, not '0%'",
    ),
    BadConfig(
        "one variant",
        "variants: [main]\n" + POOL,
        "1:11 variants: must be two variants, the base and the candidate",
    ),
    BadConfig(
        "three variants",
        "variants: [main, v1, v2]\n" + POOL,
        "1:11 variants: must be two variants, the base and the candidate",
    ),
    BadConfig(
        "variant of two trees",
        "variants: [main, {rev: main, path: .}]\n" + POOL,
        "1:36 variants[1].path: does not go with 'rev'",
    ),
    BadConfig(
        "variant of two trees, short",
        "variants: [main, 'rev=main,path=.']\n" + POOL,
        "1:18 variants[1]: has a revision and a path; it can be of one of them",
    ),
    BadConfig(
        "setting of a variant without a value",
        "variants: ['python=', {}]\n" + POOL,
        "1:12 variants[0]: has a setting without a value",
    ),
    BadConfig(
        "no such tree",
        "variants: [main, path=nowhere]\n" + POOL,
        "1:18 variants[1]: no such folder, counted from the config's folder: 'nowhere'",
    ),
    BadConfig(
        "no such interpreter",
        "variants: [main, {python: nowhere/python}]\n" + POOL,
        "1:27 variants[1].python: no such file, counted from the config's folder: 'nowhere/python'",
    ),
    BadConfig(
        "no such metric",
        "metrics: [elapsed, latency]\n" + POOL,
        "1:20 metrics[1]: unknown metric 'latency'; the metrics are elapsed, p99, cpu or memory",
    ),
    BadConfig(
        "typo of a metric",
        "metrics: memroy\n" + POOL,
        "1:10 metrics: unknown metric 'memroy'; did you mean 'memory'?",
    ),
    BadConfig("no metric", "metrics: []\n" + POOL, "1:10 metrics: must not be empty"),
    BadConfig(
        "thresholds without patterns",
        "thresholds: 5%\n" + POOL,
        "1:13 thresholds: must be a mapping of keys, not a single value",
    ),
    BadConfig(
        "empty thresholds",
        "thresholds: {}\n" + POOL,
        "1:13 thresholds: must have from 1 to 50 patterns, not 0",
    ),
    BadConfig(
        "too many patterns",
        "thresholds: {" + ", ".join(f"t{'*' * i}: 5%" for i in range(51)) + "}\n" + POOL,
        "1:13 thresholds: must have from 1 to 50 patterns, not 51",
    ),
    BadConfig(
        "neither share nor bound",
        "thresholds: {t*: soon}\n" + POOL,
        "1:18 thresholds.'t*': must be a share such as 5%, or a bound such as p99 < 80ms, not 'soon'",
    ),
    BadConfig(
        "share of nothing",
        "thresholds: {t*: 0%}\n" + POOL,
        "1:18 thresholds.'t*': must be more than zero, not '0%'",
    ),
    BadConfig(
        "two shares",
        "thresholds:\n  t*: [5%, p99 < 80ms, 6%]\n" + POOL,
        "2:24 thresholds.'t*'[2]: is a second share; what may change is one",
    ),
    BadConfig(
        "the same bound twice",
        "thresholds: {t*: [p99 < 80ms, p99 < 80ms]}\n" + POOL,
        "1:31 thresholds.'t*'[1]: is there twice",
    ),
    BadConfig(
        "no such figure",
        "thresholds: {t*: p98 < 80ms}\n" + POOL,
        "1:18 thresholds.'t*': unknown figure 'p98'; did you mean 'p99'?",
    ),
    BadConfig(
        "nothing like a figure",
        "thresholds: {t*: beauty > 5}\n" + POOL,
        "1:18 thresholds.'t*': unknown figure 'beauty'; "
        "the figures are elapsed, p99, cpu, memory, efficiency or errors",
    ),
    BadConfig(
        "no such relation",
        "thresholds: {t*: p99 = 80ms}\n" + POOL,
        "1:18 thresholds.'t*': unknown relation '='; the relations are <, <=, ==, >= or >",
    ),
    BadConfig(
        "equality of what is measured",
        "thresholds: {t*: p99 == 80ms}\n" + POOL,
        "1:18 thresholds.'t*': '==' goes only with errors, which are counted; p99 is never quite the same",
    ),
    BadConfig(
        "bound without a unit",
        "thresholds: {t*: p99 < 80}\n" + POOL,
        f"1:18 thresholds.'t*': p99 {_DURATION} '80'",
    ),
    BadConfig(
        "bound with another unit",
        "thresholds: {t*: memory < 80ms}\n" + POOL,
        "1:18 thresholds.'t*': memory must be a size such as 10KiB, 2MiB or 10kB, not '80ms'",
    ),
    BadConfig(
        "half an error",
        "thresholds: {t*: errors <= 1.5}\n" + POOL,
        "1:18 thresholds.'t*': errors must be a whole number from 0 to 1000000, not '1.5'",
    ),
    BadConfig("negative seed", "seed: -1\n" + POOL, f"{_SEED} '-1'"),
    BadConfig("seed beyond floats", "seed: 9007199254740993\n" + POOL, f"{_SEED} '9007199254740993'"),
    BadConfig("no such folder", "flags_dir: nowhere\n" + POOL, f"{_NO_FOLDER} 'nowhere'"),
    BadConfig(
        "too many cases",
        "countries: all\nworkers: ["
        + ", ".join(map(str, range(1, 191)))
        + "]\nkeep_alive: [true, false]\nprofiles: ["
        + ", ".join(f"{{latency: {i}ms}}" for i in range(40))
        + "]\n"
        + POOL,
        "1:1: makes up to 45,600 cases, at most 10,000",
    ),
)
HOSTILE: Final = (
    BadConfig("traversal in a name", "name: ../..\n" + SOUND, f"1:7 name: {_NAME} '../..'"),
    BadConfig(
        "traversal in a strategy",
        "strategies: [../../etc/passwd]\n",
        "1:14 strategies[0]: unknown strategy '../../etc/passwd'",
    ),
    BadConfig(
        "traversal in a file",
        "strategies: [../../../../etc/passwd.py]\n",
        "1:14 strategies[0]: no such file, counted from the config's folder: '../../../../etc/passwd.py'",
    ),
    BadConfig(
        "traversal in a client",
        "clients: [../../etc/passwd]\n" + SOUND,
        "1:11 clients[0]: unknown client '../../etc/passwd'",
    ),
    BadConfig(
        "traversal in a profile",
        "profile: ../..\n" + SOUND,
        "1:10 profile: unknown profile '../..'; the presets are local, delay or error",
    ),
    BadConfig(
        "traversal in a profile's name",
        "profile: {name: ../..}\n" + SOUND,
        f"1:17 profile.name: {_NAME} '../..'",
    ),
    BadConfig(
        "traversal in a country",
        "countries: ['..']\n" + SOUND,
        "1:13 countries[0]: must be a code of two capital letters, not '..'",
    ),
    BadConfig(
        "traversal in a folder",
        "flags_dir: ../../../../../../../../nowhere\n" + SOUND,
        f"{_NO_FOLDER} '../../../../../../../../nowhere'",
    ),
    BadConfig("absolute path in a name", "name: /etc/passwd\n" + SOUND, f"1:7 name: {_NAME} '/etc/passwd'"),
    BadConfig(
        "absolute path in a strategy",
        "strategies: [/etc/passwd]\n",
        "1:14 strategies[0]: unknown strategy '/etc/passwd'",
    ),
    BadConfig(
        "absolute path in a client",
        "clients: [/etc/passwd]\n" + SOUND,
        "1:11 clients[0]: unknown client '/etc/passwd'",
    ),
    BadConfig("absolute path in a folder", "flags_dir: /etc/passwd\n" + SOUND, f"{_NO_FOLDER} '/etc/passwd'"),
    BadConfig("NUL in a name", 'name: "a\\0b"\n' + SOUND, f"1:7 name: {_NAME} 'a\\x00b'"),
    BadConfig(
        "NUL in a strategy",
        'strategies: ["a\\0b.py"]\n',
        "1:14 strategies[0]: a strategy file is named like a Python module, not 'a\\x00b.py'",
    ),
    BadConfig("NUL in a folder", 'flags_dir: "a\\0b"\n' + SOUND, f"{_NO_FOLDER} 'a\\x00b'"),
    BadConfig("slash in a name", "name: a/b\n" + SOUND, f"1:7 name: {_NAME} 'a/b'"),
    BadConfig(
        "slash in a country",
        "countries: [A/]\n" + SOUND,
        "1:13 countries[0]: must be a code of two capital letters, not 'A/'",
    ),
    BadConfig("backslash in a name", "name: a\\b\n" + SOUND, f"1:7 name: {_NAME} 'a\\\\b'"),
    BadConfig(
        "backslash in a client", "clients: [a\\b]\n" + SOUND, "1:11 clients[0]: unknown client 'a\\\\b'"
    ),
    BadConfig(
        "lone surrogate",
        'name: "\\ud800"\n' + SOUND,
        "1:10: not valid YAML: found invalid Unicode character escape code",
    ),
    BadConfig(
        "pair of surrogates",
        'name: "\\ud83d\\ude00"\n' + SOUND,
        "1:10: not valid YAML: found invalid Unicode character escape code",
    ),
    BadConfig(
        "right-to-left override in a name", "name: a\u202eb\n" + SOUND, f"1:7 name: {_NAME} 'a\\u202eb'"
    ),
    BadConfig(
        "escaped right-to-left override",
        'strategies: ["a\\u202eb"]\n',
        "1:14 strategies[0]: unknown strategy 'a\\u202eb'",
    ),
    BadConfig("right-to-left override in a key", '"a\\u202eb": 1\n' + SOUND, "1:1 'a\\u202eb': unknown key"),
    BadConfig(
        "zero-width space",
        'clients: ["httpx\\u200b"]\n' + SOUND,
        "1:11 clients[0]: unknown client 'httpx\\u200b'; did you mean 'httpx'?",
    ),
    BadConfig(
        "homoglyph of a strategy",
        "strategies: [sequenti\u0430l]\n",
        "1:14 strategies[0]: unknown strategy 'sequenti\\u0430l'; did you mean 'sequential'?",
    ),
    BadConfig(
        "homoglyph of a client",
        "clients: [htt\u0440x]\n" + SOUND,
        "1:11 clients[0]: unknown client 'htt\\u0440x'; did you mean 'httpx'?",
    ),
    BadConfig(
        "homoglyph of a key",
        "w\u043erkers: 5\n" + SOUND,
        "1:1 'w\\u043erkers': unknown key; did you mean 'workers'?",
    ),
    BadConfig(
        "homoglyph of a country",
        "countries: [\u0412R]\n" + SOUND,
        "1:13 countries[0]: must be a code of two capital letters, not '\\u0412R'",
    ),
    BadConfig("1 MB name", "name: " + MEGABYTE + "\n" + SOUND, f"1:7 name: {_NAME} '{_X}'"),
    BadConfig(
        "1 MB strategy", "strategies: [" + MEGABYTE + "]\n", f"1:14 strategies[0]: unknown strategy '{_X}'"
    ),
    BadConfig(
        "1 MB file",
        "strategies: [" + MEGABYTE + ".py]\n",
        f"1:14 strategies[0]: a strategy file is named like a Python module, not '{_X}'",
    ),
    BadConfig(
        "1 MB folder",
        "flags_dir: " + MEGABYTE + "\n" + SOUND,
        f"1:12 flags_dir: the folder '{_X}' cannot be read: File name too long",
    ),
    BadConfig(
        "script in a name",
        "name: <script>alert(1)</script>\n" + SOUND,
        f"1:7 name: {_NAME} '<script>alert(1)</script>'",
    ),
    BadConfig(
        "script in a profile's name",
        "profile: {name: <script>}\n" + SOUND,
        f"1:17 profile.name: {_NAME} '<script>'",
    ),
    BadConfig("script in a key", "<script>: 1\n" + SOUND, "1:1 '<script>': unknown key"),
    BadConfig(
        "terminal escape in a name",
        'name: "\\e]0;owned\\a"\n' + SOUND,
        f"1:7 name: {_NAME} '\\x1b]0;owned\\x07'",
    ),
    BadConfig(
        "terminal escape in a strategy",
        'strategies: ["\\e[2J"]\n',
        "1:14 strategies[0]: unknown strategy '\\x1b[2J'",
    ),
    BadConfig(
        "C1 control in a client",
        'clients: ["\\x9b2J"]\n' + SOUND,
        "1:11 clients[0]: unknown client '\\x9b2J'",
    ),
    BadConfig(
        "C1 control as it is",
        "name: \u009b2J\n" + SOUND,
        "1:7: the character '\\x9b' cannot stand in a config",
    ),
    BadConfig("formula in a name", "name: =cmd()\n" + SOUND, f"1:7 name: {_NAME} '=cmd()'"),
    BadConfig(
        "formula in a strategy", "strategies: ['=cmd()']\n", "1:14 strategies[0]: unknown strategy '=cmd()'"
    ),
    BadConfig("markup in a name", "name: '[red]x[/red]'\n" + SOUND, f"1:7 name: {_NAME} '[red]x[/red]'"),
    BadConfig(
        "template in a name",
        'name: "{{7*7}}"\n' + SOUND,
        "1:7 name: must be at most 64 letters, digits, dots, dashes and underscores, a letter or digit first, not '{{7*7}}'",
    ),
    BadConfig("newline in a name", 'name: "a\\nb"\n' + SOUND, f"1:7 name: {_NAME} 'a\\nb'"),
    BadConfig(
        "newline in a strategy",
        'strategies: ["a\\nerror: all is well"]\n',
        "1:14 strategies[0]: unknown strategy 'a\\nerror: all is well'",
    ),
    BadConfig(
        "option in place of a revision",
        "variants: [--upload-pack=x, {}]\n" + SOUND,
        "1:12 variants[0]: must be a revision such as main or HEAD~3, not '--upload-pack=x'",
    ),
    BadConfig(
        "option in place of a requirement",
        "variants: [main, {requirements: -r secrets}]\n" + SOUND,
        "1:33 variants[1].requirements: must be a requirement such as httpx==0.27.2, not '-r secrets'",
    ),
    BadConfig(
        "space in an interpreter",
        "variants: [main, {python: 3.13 -c}]\n" + SOUND,
        f"1:27 variants[1].python: {_NAME} '3.13 -c'",
    ),
    BadConfig(
        "terminal escape in a pattern",
        'thresholds: {"\\e[2J": 5%}\n' + SOUND,
        "1:14 thresholds.'\\x1b[2J': fits no case",
    ),
    BadConfig("dash in front", "name: --out\n" + SOUND, f"1:7 name: {_NAME} '--out'"),
    BadConfig("variable in a folder", "flags_dir: $HOME\n" + SOUND, f"{_NO_FOLDER} '$HOME'"),
    BadConfig("dot", "name: .\n" + SOUND, f"1:7 name: {_NAME} '.'"),
)

KINDS: Final[Mapping[str, Sequence[BadConfig | NoConfig]]] = {
    "file": FILES,
    "syntax": SYNTAX,
    "bomb": BOMBS,
    "tag": TAGS,
    "key": KEYS,
    "value": VALUES,
    "hostile": HOSTILE,
}
BAD_CONFIGS: Final = {f"{kind}: {each.name}": each for kind, table in KINDS.items() for each in table}
"""All of them, by kind and name."""
