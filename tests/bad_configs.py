"""Configs that must be rejected, one for each kind of message, each with the exact line that reports it.

Messages about a client, an extra or a folder that these tests must create are in
``tests/unit/test_config_problems.py``, further spellings of a value in ``tests/unit/test_config_scalars.py``.
"""

# ruff: noqa: E501  a table reads best with a row a line

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "c.yaml"
SOUND: Final = "strategies: [sequential]\n"
POOL: Final = "strategies: [threadpool_map]\n"
LOOP: Final = "strategies: [asyncio_gather]\nclients: httpx\n"
MEGABYTE: Final = "x" * 1_000_000

_TAG: Final = "is not supported; write the plain value"
_X: Final = f"{'x' * 57}..."


@dataclass(frozen=True, slots=True)
class BadConfig:
    """A config that is rejected.

    Attributes:
        told: the first line about it, after the file's name and a colon.
        more: how many lines follow.
    """

    name: str
    content: str | bytes
    told: str
    more: int = 0

    def write(self, file: Path) -> None:
        """Write it to the path of a config."""
        file.write_bytes(self.content if isinstance(self.content, bytes) else self.content.encode())


@dataclass(frozen=True, slots=True)
class NoConfig:
    """Something other than a file, or nothing; otherwise like a ``BadConfig``."""

    name: str
    create: Callable[[Path], object]
    told: str
    more: int = 0

    def write(self, file: Path) -> None:
        """Create it at the path of a config."""
        self.create(file)


def _hundred_megabytes(file: Path) -> None:
    with file.open("wb") as large:
        large.truncate(100_000_000)


def _laughs(depth: int) -> str:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, depth)]
    return "\n".join(lines) + "\n"


# fmt: off
FILES: Final = (
    NoConfig("missing, one is near", lambda file: file.with_name("b.yaml").touch(), " no such file; did you mean 'b.yaml'?"),
    NoConfig("link to itself", lambda file: file.symlink_to(file), " cannot be read: Too many levels of symbolic links"),
    NoConfig("FIFO", os.mkfifo, " not a regular file; a config is a YAML file"),
    NoConfig("folder", Path.mkdir, " a folder; a config is a YAML file"),
    NoConfig("100 MB", _hundred_megabytes, " larger than 1 MiB; a config is a page or two"),
)

SYNTAX: Final = (
    BadConfig("empty", "# nothing\n\n", "1:1: the file is empty; a config needs at least 'strategies'"),
    BadConfig("list root", "- name: x\n", "1:1: must be a mapping of keys, not a list"),
    BadConfig("tab", "countries:\n\tcodes: all\n", "2:1: not valid YAML: a tab; indent with spaces"),
    BadConfig("unclosed list", "strategies: [sequential\n", "2:1: not valid YAML: did not find expected ',' or ']'"),
    BadConfig("pattern without quotes", "thresholds:\n  */requests/*: 5%\n" + SOUND, "2:4: not valid YAML: a value that begins with * is an alias; put it in quotes"),
    BadConfig("escape character", "name: \x1b[31mred\n" + SOUND, "1:7: the character '\\x1b' is not allowed; remove it"),
    BadConfig("Latin-1", "name: caf\xe9\n".encode("latin-1") + SOUND.encode(), "1:10: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    BadConfig("UTF-32", ("name: x\n" + SOUND).encode("utf-32"), "1:1: the file is UTF-16 or UTF-32; save it as UTF-8"),
    BadConfig("undefined alias", "name: *mine\n" + SOUND, "1:7 name: the alias '*mine' has no anchor before it; write the value"),
    BadConfig("several documents", SOUND + "---\n" + SOUND, "2:1: a second document starts here; a config is one document"),
)
BOMBS: Final = (
    BadConfig("billion laughs", _laughs(10), "1:15 a3[6]: more than 2,000 values; shorten the config"),
    BadConfig("self-reference", "strategies: &a [*a]\n", "1:17 strategies[0]: the alias '*a' stands within its own anchor; write the value"),
    BadConfig("merge bomb", "a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\nc: {<<: [*b, *b, *b]}\n" + SOUND, "1:1 a: unknown key", 2),
    BadConfig("2,000 lists deep", "strategies: " + "[" * 2000 + "]" * 2000 + "\n", "1:33 strategies[0]: nested deeper than 20 levels"),
    BadConfig("2,000 keys deep", "? " * 2000 + "a\n", "1:3: a key must be a plain word", 21),
    BadConfig("5,000-digit integer", "workers: " + "9" * 5000 + "\n" + POOL, f"1:10 workers: must be a whole number from 1 to 10000, not '{'9' * 57}...'"),
    BadConfig("1 MB folder", "flags_dir: " + MEGABYTE + "\n" + SOUND, f"1:12 flags_dir: the folder '{_X}' cannot be read: File name too long"),
    BadConfig("1,900 typos of a strategy", "strategies:\n" + "".join(f"- threadpool_mp{i}\n" for i in range(1900)), "2:3 strategies[0]: unknown strategy 'threadpool_mp0'; did you mean 'threadpool_map'?", 50),
    BadConfig("250,000 complex keys", "? a\n" * 250_000, "2:1 a: has no value; remove the key to use its default", 50),
    BadConfig("60,000 directives", "".join(f"%TAG !{i}! x\n" for i in range(60_000)) + "--- a\n", "1:1: a line that starts with % is a YAML directive; remove it"),
)
TAGS: Final = (
    BadConfig("python apply", "name: !!python/object/apply:os.system [echo owned]\n" + SOUND, f"1:7 name: the tag 'tag:yaml.org,2002:python/object/apply:os.system' {_TAG}"),
    BadConfig("on a key", "!!str name: x\n" + SOUND, f"1:1 name: the tag 'tag:yaml.org,2002:str' {_TAG}"),
)
KEYS: Final = (
    BadConfig("twice", "name: a\nname: b\n" + SOUND, "2:1 name: duplicate key, first used on line 1"),
    BadConfig("unknown", "colour: blue\n" + SOUND, "1:1 colour: unknown key"),
    BadConfig("typo", "request-timeout: 5s\n" + SOUND, "1:1 'request-timeout': unknown key; did you mean 'request_timeout'?"),
    BadConfig("merge key", "<<: x\n" + SOUND, "1:1 '<<': must be a mapping or a list of mappings, such as *name"),
    BadConfig("merged typo", "x-base: &base {blokcs: 3}\n<<: *base\n" + SOUND, "1:16 blokcs: unknown key; did you mean 'blocks'?"),
    BadConfig("extension below the top", "profile: {latency: 1ms, x-note: 1}\n" + SOUND, "1:25 profile.'x-note': unknown key"),
    BadConfig("missing", "name: x\n", "1:1 strategies: is missing"),
    BadConfig("right-to-left override", '"a\\u202eb": 1\n' + SOUND, "1:1 'a\\u202eb': unknown key"),
)
VALUES: Final = (
    BadConfig("scalar in place of a list", "profile: {latency: {uniform: 5ms}}\n" + POOL, "1:30 profile.latency.uniform: must be a list, not a single value"),
    BadConfig("empty list", "strategies: []\n", "1:13 strategies: must not be empty"),
    BadConfig("twice", "workers: [5, 5]\n" + POOL, "1:14 workers[1]: is a duplicate; remove it"),
    BadConfig("neither auto nor a number", "rounds: 0\n" + POOL, "1:9 rounds: must be auto or a whole number from 1 to 1000, not '0'"),
    BadConfig("duration without a unit", "deadline: 5\n" + POOL, "1:11 deadline: must be a duration such as 50ms, 1.5s or 2m, not '5'"),
    BadConfig("typo of a choice", "disturbed: kepe\n" + POOL, "1:12 disturbed: unknown value 'kepe'; did you mean 'keep'?"),
    BadConfig("typo of all probes", "probes: alll\n" + POOL, "1:9 probes: unknown probe 'alll'; did you mean 'all'?"),
    BadConfig("no probes", "probes: []\n" + POOL, "1:9 probes: must not be empty; write none"),
    BadConfig("long country", "countries: [bra]\n" + POOL, "1:13 countries[0]: must be a code of two letters, not 'bra'"),
    BadConfig("unknown countries", "countries: pop2O\n" + POOL, "1:12 countries: must be pop20, all, every, a letter or a list of codes, not 'pop2O'; did you mean 'pop20'?"),
    BadConfig("strategy file missing", "strategies: [mine.py]\n", "1:14 strategies[0]: no such file 'mine.py'; paths are relative to the config's folder"),
    BadConfig("file of a shipped strategy", "strategies: [sequential.py]\n", "1:14 strategies[0]: 'sequential.py' has the name of a shipped strategy; rename the file"),
    BadConfig("typo of a client", "clients: [aoihttp]\n" + POOL, "1:11 clients[0]: unknown client 'aoihttp'; did you mean 'aiohttp'?"),
    BadConfig("unknown preset", "profile: moon\n" + POOL, "1:10 profile: unknown profile 'moon'; choose from local, delay or error"),
    BadConfig("unknown fault", "profile: {faults: [{kind: zzz}]}\n" + POOL, "1:27 profile.faults[0].kind: unknown fault 'zzz'; see `flagbench list faults`"),
    BadConfig("variant with an unknown setting", "variants: [main, 'main,pyton=3.13']\n" + POOL, "1:18 variants[1]: has an unknown setting 'pyton'; did you mean 'python'?"),
    BadConfig("variant with a bare setting", "variants: [main, python]\n" + POOL, "1:18 variants[1]: has python without a value; write, for instance, python=3.13"),
    BadConfig("variant without a value", "variants: ['python=', {}]\n" + POOL, "1:12 variants[0]: has a setting without a value"),
    BadConfig("variant with a setting twice", "variants: [main, 'main,HEAD']\n" + POOL, "1:18 variants[1]: has rev twice"),
    BadConfig("too many patterns", "thresholds: {" + ", ".join(f"t{'*' * i}: 5%" for i in range(51)) + "}\n" + POOL, "1:13 thresholds: must have from 1 to 50 patterns, not 51"),
    BadConfig("neither share nor bound", "thresholds: {t*: soon}\n" + POOL, "1:18 thresholds.'t*': must be a share such as 5%, or a bound such as p99 < 80ms, not 'soon'"),
    BadConfig("two shares", "thresholds:\n  t*: [5%, p99 < 80ms, 6%]\n" + POOL, "2:24 thresholds.'t*'[2]: is a second share; a pattern can have only one"),
    BadConfig("unknown figure", "thresholds: {t*: beauty > 5}\n" + POOL, "1:18 thresholds.'t*': unknown figure 'beauty'; choose from elapsed, p99, cpu, memory, efficiency or errors"),
    BadConfig("unknown relation", "thresholds: {t*: p99 = 80ms}\n" + POOL, "1:18 thresholds.'t*': unknown relation '='; choose from <, <=, ==, >= or >"),
    BadConfig("equality of a measured figure", "thresholds: {t*: p99 == 80ms}\n" + POOL, "1:18 thresholds.'t*': '==' is for errors only, which are counted; use '<' or '>' for p99"),
    BadConfig("bound with another unit", "thresholds: {t*: memory < 80ms}\n" + POOL, "1:18 thresholds.'t*': memory must be a size such as 10KiB, 2MiB or 10kB, not '80ms'"),
)
CONFLICTS: Final = (
    BadConfig("profile and profiles", "profile: local\nprofiles: [delay]\n" + POOL, "2:11 profiles: cannot be combined with 'profile'; keep one of them"),
    BadConfig("profile named like a preset", "profile: {name: delay}\n" + POOL, "1:17 profile.name: 'delay' is the name of a preset; choose another name"),
    BadConfig("two profiles of one name", "profiles: [{latency: 5ms}, {latency: 5.0ms}]\n" + POOL, "1:28 profiles[1]: another profile is also named '5ms'; name one of them"),
    BadConfig("no latency", "profile: {latency: {}}\n" + POOL, "1:20 profile.latency: must have exactly one of the keys fixed, uniform, lognormal and sample"),
    BadConfig("one bound", "profile: {latency: {uniform: [2s]}}\n" + POOL, "1:30 profile.latency.uniform: must be two durations, the lowest and the highest"),
    BadConfig("latency upside down", "profile: {latency: {uniform: [9ms, 5ms]}}\n" + POOL, "1:30 profile.latency.uniform: the lowest latency is above the highest"),
    BadConfig("p99 below the median", "profile: {latency: {lognormal: {median: 9ms, p99: 5ms}}}\n" + POOL, "1:32 profile.latency.lognormal: p99 is below the median"),
    BadConfig("fixed latency above the time-out", "profile: {latency: 10s}\n" + POOL, "1:10 profile: waits 10s, but request_timeout is 10s"),
    BadConfig("lowest latency above the time-out", "request_timeout: 40ms\nprofile: {latency: {uniform: [50ms, 60ms]}, jitter: 5ms}\n" + POOL, "2:10 profile: waits at least 45ms, but request_timeout is 40ms"),
    BadConfig("median latency above the time-out", "profiles: [local, {latency: {lognormal: {median: 11s, p99: 20s}}}]\n" + POOL, "1:19 profiles[1]: mostly waits 11s, but request_timeout is 10s"),
    BadConfig("status of another fault", "profile: {faults: [{kind: drip, status: 503}]}\n" + POOL, "1:41 profile.faults[0].status: is for kind 'status' only; remove it"),
    BadConfig("status fault without a status", "profile: {faults: status}\n" + POOL, "1:19 profile.faults: kind 'status' needs the key status, from 400 to 599"),
    BadConfig("fault of another rate twice", "profile: {faults: [drip, {kind: drip, rate: 5%}]}\n" + POOL, "1:26 profile.faults[1]: is a duplicate; remove it"),
    BadConfig("rates above 100 %", "profile: {faults: [{kind: stall, rate: 51%}, {kind: drip, rate: 50%}]}\n" + POOL, "1:19 profile.faults: the rates add up to more than 100%"),
    BadConfig("rates and errors above 100 %", "profile: {error_rate: 50%, faults: [{kind: stall, rate: 50%}, drip]}\n" + POOL, "1:36 profile.faults: the rates and error_rate add up to more than 100%"),
    BadConfig("fault of HTTP/1.1", "profile: {tls: true, http2: true, faults: [cut_chunk]}\n" + LOOP, "1:44 profile.faults[0]: cut_chunk does not exist over HTTP/2"),
    BadConfig("fault of TLS", "profile: {faults: [tls_expired]}\n" + POOL, "1:20 profile.faults[0]: tls_expired needs 'tls: true'"),
    BadConfig("rate of a fault before the request", "profile: {faults: [{kind: refused, rate: 5%}]}\n" + POOL, "1:20 profile.faults[0]: refused happens before the request, so all fetches meet it; remove the rate"),
    BadConfig("HTTP/2 without TLS", "profile: {http2: true}\n" + POOL, "1:18 profile.http2: needs 'tls: true'"),
    BadConfig("closing of a shared connection", "profile: {tls: true, http2: true}\nkeep_alive: [true, false]\n" + LOOP, "1:10 profile: asyncio_gather has 'keep_alive: false', but its downloads share an HTTP/2 connection; use true"),
    BadConfig("client without keep-alive", "strategies: {name: sequential, clients: urllib_request}\n", "1:41 strategies.clients: urllib_request cannot keep connections alive; add 'keep_alive: false' to its entry"),
    BadConfig("no client", "clients: [aiohttp]\n" + POOL, "2:14 strategies[0]: threadpool_map has no usable client; add a synchronous client such as curl_cffi, http_client, httpx, httpx2, niquests, pycurl, pyqwest, pyreqwest, requests, urllib3 or wreq to 'clients'"),
    BadConfig("workers of a sequential strategy", "strategies: [{name: sequential, workers: 5}]\n", "1:42 strategies[0].workers: sequential takes no workers; remove the key"),
    BadConfig("blocks upside down", "blocks: {min: 9, max: 8}\nbudget: 9s\n" + POOL, "1:15 blocks.min: is above max"),
    BadConfig("range of blocks without an end", "blocks: {min: 8, max: 64}\n" + POOL, "1:15 blocks.min: needs 'precision' or 'budget', which decide when to stop"),
    BadConfig("too few blocks for an interval", "blocks: 5\nprecision: 3%\n" + POOL, "1:9 blocks: must be at least 6 with 'precision', which needs an interval"),
    BadConfig("one variant", "variants: [main]\n" + POOL, "1:11 variants: must be two variants, the base and the candidate"),
    BadConfig("variant of two trees", "variants: [main, {rev: main, path: .}]\n" + POOL, "1:36 variants[1].path: cannot be combined with 'rev'"),
    BadConfig("variant of two trees as text", "variants: [main, 'rev=main,path=.']\n" + POOL, "1:18 variants[1]: has rev and path; keep one of them"),
    BadConfig("pattern that matches no case", "thresholds: {'sequental/*': 5%}\n" + SOUND, "1:14 thresholds.'sequental/*': matches no case; did you mean 'sequential/*'?"),
    BadConfig(
        "too many cases",
        f"countries: all\nworkers: [{', '.join(map(str, range(1, 191)))}]\nkeep_alive: [true, false]\n"
        f"profiles: [{', '.join(f'{{latency: {i}ms}}' for i in range(40))}]\n" + POOL,
        "1:1: makes up to 45,600 cases; the limit is 10,000",
    ),
)
HOSTILE: Final = (
    BadConfig("NUL in a folder", 'flags_dir: "a\\0b"\n' + SOUND, "1:12 flags_dir: no such folder 'a\\x00b'; paths are relative to the config's folder"),
    BadConfig("terminal escape in a name", 'name: "\\e]0;owned\\a"\n' + SOUND, "1:7 name: must be at most 64 letters, digits, dots, dashes and underscores, a letter or digit first, not '\\x1b]0;owned\\x07'"),
    BadConfig("newline in a strategy", 'strategies: ["a\\nerror: all is well"]\n', "1:14 strategies[0]: unknown strategy 'a\\nerror: all is well'"),
    BadConfig("option in place of a revision", "variants: [--upload-pack=x, {}]\n" + SOUND, "1:12 variants[0]: must be a revision such as main or HEAD~3, not '--upload-pack=x'"),
    BadConfig("option in place of a requirement", "variants: [main, {requirements: -r secrets}]\n" + SOUND, "1:33 variants[1].requirements: must be a requirement such as httpx==0.27.2, not '-r secrets'"),
    BadConfig("500,000 values", "workers: [" + "1," * 500_000 + "]\n" + SOUND, "1:4007 workers[1998]: more than 2,000 values; shorten the config"),
    BadConfig("300 times the same", "strategies:\n" + "- {name: threadpool_map, keep_alive: [true, false]}\n" * 300, "3:3 strategies[1]: is a duplicate; remove it", 50),
    BadConfig("homoglyph", "w\u043erkers: 5\n" + SOUND, "1:1 'w\\u043erkers': unknown key; did you mean 'workers'?"),
    BadConfig("preset with figures", "profile: {preset: delay, jitter: 1ms}\n" + POOL, "1:34 profile.jitter: cannot be combined with 'preset'"),
    BadConfig("preset with a connect latency", "profile: {preset: delay, connect_latency: 20ms}\n" + POOL, "1:43 profile.connect_latency: cannot be combined with 'preset'"),
    BadConfig("connections slower than the time-out", "profile: {latency: 1s, connect_latency: 5s, tls: true}\n" + POOL, "1:10 profile: opens a connection in 10s and then waits 1s, but request_timeout is 10s"),
    BadConfig("scale without a preset", "profile: {scale: 2}\n" + POOL, "1:18 profile.scale: needs 'preset'"),
    BadConfig("fault of HTTP/2", "profile: {faults: [goaway]}\n" + POOL, "1:20 profile.faults[0]: goaway does not exist over HTTP/1.1"),
    BadConfig("terminal escape in a pattern", 'thresholds: {"\\e[2J": 5%}\n' + SOUND, "1:14 thresholds.'\\x1b[2J': matches no case"),
)

# fmt: on

KINDS: Final[Mapping[str, Sequence[BadConfig | NoConfig]]] = {
    "file": FILES,
    "syntax": SYNTAX,
    "bomb": BOMBS,
    "tag": TAGS,
    "key": KEYS,
    "value": VALUES,
    "conflict": CONFLICTS,
    "hostile": HOSTILE,
}
BAD_CONFIGS: Final = {f"{kind}: {each.name}": each for kind, table in KINDS.items() for each in table}
"""All of them, by kind and name."""
