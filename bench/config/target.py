"""Read ``target``: the address of a server of the user's, and the files to download from it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, ConfigDict, ValidationInfo, field_validator

from bench.config.compatibility import StrategyEntry
from bench.config.countries import MAX_FETCHES
from bench.config.forms import (
    Editor,
    FieldError,
    Form,
    FromForm,
    Named,
    OneOrMore,
    Shorthand,
    Text,
    key,
    under_key,
)
from bench.config.lookup import LookupContext
from bench.config.problems import quote_text
from bench.config.scalars import whole
from bench.model.cases import Selection
from bench.model.target import Target, file_codes, flag_paths
from bench.model.text import plural

MOST_FILES: Final = 10_000
_MOST_BYTES: Final = 4 << 20
_LONGEST_URL: Final = 1_000
_LONGEST_PATH: Final = 1_000
_SHA256: Final = re.compile(r"([0-9a-fA-F]{64})(?: [ *]|\t)(.+)", re.DOTALL)
_OTHER_DIGEST: Final = re.compile(r"[0-9a-fA-F]{32,128} [ *].*", re.DOTALL)
_UNRESERVED: Final = "/!$&'()*+,;=:@~"
"""Characters that a path may have as they are (RFC 3986, 3.3), beside those that ``quote`` leaves anyway."""
_URL: Final = re.compile(r"https?://[!-~]+")
_RATE: Final = re.compile(r"((?:0|[1-9][0-9]{0,6})(?:\.[0-9]{1,3})?)/s")


class ListedFile(NamedTuple):
    """A file of a manifest: its path as it is written, and its SHA-256 in hex digits, empty if unknown."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """The value of ``target``.

    Attributes:
        files: empty if the countries of the config are downloaded.
    """

    url: str
    files: tuple[ListedFile, ...]
    repeat: int
    rate: float | None
    authority: Path | None

    @property
    def selection(self) -> Selection | None:
        """The files as a case selects them; None if the config's countries are downloaded."""
        if not self.files:
            return None
        label = plural(len(self.files), "file") + (f" repeat {self.repeat}" if self.repeat > 1 else "")
        return Selection(label, file_codes(len(self.files)), self.repeat)

    def target(self, countries: tuple[str, ...]) -> Target:
        """Return the target from which the flags of these countries, or its own files, are downloaded."""
        listed = self.files
        codes = file_codes(len(listed)) if listed else countries
        paths = (
            {code: quote(file.path, safe=_UNRESERVED) for code, file in zip(codes, listed, strict=True)}
            if listed
            else flag_paths(codes)
        )
        checksums = {code: file.sha256 for code, file in zip(codes, listed, strict=False) if file.sha256}
        return Target(self.url, paths, checksums, self.rate, self.authority)


def parse_url(text: str) -> str:
    """Read the address of a folder, without a user, a query or a fragment: it is stored with each run."""
    if len(text) > _LONGEST_URL or not _URL.fullmatch(text):
        raise ValueError(f"must be an address such as http://127.0.0.1:9000/files, not {_without_user(text)}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise ValueError("must have no user or password: it is stored with each run")
    if "?" in text or "#" in text:
        raise ValueError("must have no query and no fragment: it is the address of a folder")
    if not parts.hostname or port == 0:
        raise ValueError("must have a host")
    if {".", ".."} & set(parts.path.split("/")) or "\\" in text:
        raise ValueError("must have no '.', '..' or '\\' in its path")
    return text.rstrip("/")


def parse_rate(text: str) -> float:
    """Read ``50/s`` as requests per second; more than zero."""
    found = _RATE.fullmatch(text)
    if not found or not (rate := float(found[1])):
        raise ValueError(f"must be requests per second, such as 50/s or 0.5/s, not {quote_text(text)}")
    return rate


def parse_path(text: str) -> str:
    """Read the path of a file below the address of a target; a leading ``./`` is left out.

    It is written as the file is named: what an address cannot have is percent-encoded later.
    """
    path = text
    while path.startswith("./"):
        path = path[2:]
    if not path or len(path) > _LONGEST_PATH or not path.isprintable():
        raise ValueError(f"must be a path of at most {_LONGEST_PATH} printable characters")
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError(
            f"must be a path below the address, without '..', '//' or '\\', not {quote_text(text)}"
        )
    return path


def read_manifest(file: Path) -> tuple[ListedFile, ...]:
    """Read a list of files, one a line: a path, or as ``sha256sum`` writes them, with a checksum before it.

    Raises:
        ValueError: the file cannot be read, or a line is not as it must be; the message has its number.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"has more than {_MOST_BYTES >> 20} MiB")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start}") from error
    listed = tuple(_read_lines(text))
    if not listed:
        raise ValueError("has no files; list them one a line, as `sha256sum` does")
    if len({bool(each.sha256) for each in listed}) > 1:
        raise ValueError("has checksums for some files only; give them to all or to none")
    return listed


def _read_lines(text: str) -> Iterator[ListedFile]:
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        written = line.removesuffix("\r")
        if not written.strip() or written.startswith("#"):
            continue
        try:
            found = _read_line(written)
        except ValueError as error:
            raise ValueError(f"line {number} {error}") from error
        if (first := seen.setdefault(found.path, number)) != number:
            raise ValueError(f"line {number} has the path of line {first}; remove one")
        if len(seen) > MOST_FILES:
            raise ValueError(f"has more than {MOST_FILES:,} files")
        yield found


def _read_line(line: str) -> ListedFile:
    if line.startswith("\\"):
        raise ValueError("has a name with a line end or a backslash; rename the file")
    if found := _SHA256.fullmatch(line):
        return ListedFile(parse_path(found[2]), found[1].lower())
    if _OTHER_DIGEST.fullmatch(line):
        raise ValueError("has a checksum that is not a SHA-256; write them with `sha256sum`")
    return ListedFile(parse_path(line), "")


def _manifest(context: LookupContext, text: str) -> tuple[ListedFile, ...]:
    return read_manifest(context.existing_file(text))


def _without_user(text: str) -> str:
    """Quote an address unless it may have a password."""
    return "this" if "@" in text else quote_text(text)


def _unlike(paths: Sequence[str]) -> tuple[str, ...]:
    if len(set(paths)) < len(paths):
        raise ValueError("has a path twice; remove one")
    if len(paths) > MOST_FILES:
        raise ValueError(f"has more than {MOST_FILES:,} files")
    return tuple(paths)


_URL_EDITOR: Final[Editor] = {"type": "string", "examples": ["http://127.0.0.1:9000/files"]}
_PATH_EDITOR: Final[Editor] = {"type": "string", "examples": ["sums.txt"]}
_LISTED_EDITOR: Final[Editor] = {"type": "string", "examples": ["images/a.png"]}
_AUTHORITY_EDITOR: Final[Editor] = {"type": "string", "examples": ["ca.pem"]}


class TargetForm(Form):
    """A server of your own that is measured instead of the flag server."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["manifest", "files"]}})

    url: Annotated[str, Text(parse_url, _URL_EDITOR)] = key(
        ..., "The http or https address below which its files are, without user, query and fragment."
    )
    manifest: Annotated[tuple[ListedFile, ...], Named(_manifest, _PATH_EDITOR)] | None = key(
        None,
        "A file that lists the paths of files, one a line, alone or as `sha256sum` writes them. Without "
        "`manifest` and `files`, the flags of `countries` are downloaded, such as `flags/br/br.gif`.",
    )
    files: (
        Annotated[OneOrMore[Annotated[str, Text(parse_path, _LISTED_EDITOR)]], AfterValidator(_unlike)] | None
    ) = key(None, "The paths of the files, instead of a manifest; they have no checksums.")
    repeat: Annotated[int, whole(1, 1_000_000)] = key(
        1, "How many times all files are downloaded in a round. For flags, use `repeat` of `countries`."
    )
    rate: (
        Annotated[float, Text(parse_rate, {"type": "string", "pattern": "^[0-9.]+/s$", "examples": ["50/s"]})]
        | None
    ) = key(None, "The most requests that are started in a second; required for a server on another machine.")
    authority: Annotated[Path, Named(LookupContext.existing_file, _AUTHORITY_EDITOR)] | None = key(
        None, "A PEM file of the certificate authorities to trust over https, instead of those of the system."
    )

    @field_validator("files")
    @classmethod
    def _check_files(cls, files: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("manifest") is not None:
            raise ValueError("cannot be combined with 'manifest'; keep one of them")
        return files

    @field_validator("repeat")
    @classmethod
    def _check_repeat(cls, repeat: int, info: ValidationInfo) -> int:
        values = info.data
        files = len(values.get("manifest") or values.get("files") or ())
        if repeat > 1 and not files:
            raise ValueError("needs 'manifest' or 'files'; write it below 'countries'")
        if files * repeat > MAX_FETCHES:
            raise ValueError(f"makes {files * repeat:,} fetches per round; the limit is {MAX_FETCHES:,}")
        return repeat

    @field_validator("authority")
    @classmethod
    def _check_authority(cls, authority: Path, info: ValidationInfo) -> Path:
        if not info.data.get("url", "https:").startswith("https:"):
            raise ValueError("is for https addresses; remove the key")
        return authority

    def entry(self) -> TargetEntry:
        """Return the entry as a plain value."""
        files = self.manifest or tuple(ListedFile(path, "") for path in self.files or ())
        return TargetEntry(self.url, files, self.repeat, self.rate, self.authority)


TargetField: TypeAlias = Annotated[
    TargetEntry, FromForm(TargetForm, TargetForm.entry), Shorthand(under_key("url"), _URL_EDITOR)
]


def find_unfit_strategies(entry: TargetEntry, strategies: Sequence[StrategyEntry]) -> Iterator[FieldError]:
    """Yield an error for each strategy that cannot be measured against a target."""
    for each in (strategy.strategy for strategy in strategies):
        if each.call.is_foreign and entry.files:
            yield FieldError(
                (),
                f"{each.name} takes country codes, and knows no files of a target; leave out 'manifest' and "
                "'files' to download flags/br/br.gif",
            )
        elif entry.rate is not None and each.face is None:
            yield FieldError(
                ("rate",), f"cannot be kept by {each.name}, which sends its requests by itself; leave it out"
            )
