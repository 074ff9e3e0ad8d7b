"""Read the sizes of the bodies of a profile: one for all, a log-normal distribution, or those of a file."""

from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import ConfigDict, model_validator

from bench.config.forms import Editor, Form, FromForm, Named, Shorthand, Text, key, under_key
from bench.config.lookup import LookupContext
from bench.config.problems import quote_text
from bench.config.samples import read_sample
from bench.config.scalars import SIZE_EDITOR, SIZE_UNITS, one_of, parse_size
from bench.model.body_sizes import (
    LARGEST_BODY,
    SMALLEST_BODY,
    BodySizes,
    FixedSize,
    LogNormalSize,
    SampledSize,
)
from bench.model.text import size_text

_FILE_EDITOR: Final[Editor] = {"type": "string", "examples": ["sizes.csv"]}
_LIMITS: Final = f"{size_text(SMALLEST_BODY)} to {size_text(LARGEST_BODY)}"


def parse_body_size(text: str) -> int:
    """Read the size of a body, from 1 kB to 10 MiB, as whole bytes."""
    size = round(parse_size(text))
    if not SMALLEST_BODY <= size <= LARGEST_BODY:
        raise ValueError(f"must be a size from {_LIMITS}, not {quote_text(text)}")
    return size


BodySize: TypeAlias = Annotated[int, Text(parse_body_size, SIZE_EDITOR)]


class LogNormalSizeForm(Form):
    """A log-normal distribution, by the two figures that people know of their files."""

    median: BodySize = key(..., "Half of all bodies are larger than this.")
    p99: BodySize = key(
        ..., "One body of a hundred is larger than this. Draws below 1 kB or above 10 MiB become that."
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.p99 < self.median:
            raise ValueError("p99 is below the median")
        return self


class SizeSampleForm(Form):
    """Sizes in a file; of more than a thousand, a thousand quantiles are kept with each run."""

    file: Annotated[Path, Named(LookupContext.existing_file, _FILE_EDITOR)] = key(
        ..., "The file, relative to the config: UTF-8, with one value a line such as `12kB`, or CSV."
    )
    column: Annotated[str, Text(str, {"type": "string", "examples": ["bytes"]})] | None = key(
        None, "The name of the column, for a CSV file with names in its first line."
    )
    unit: Annotated[str, one_of("unit", SIZE_UNITS)] | None = key(
        None, "The unit of plain numbers; without it, each value has its own."
    )


def _read_sizes(form: SizeSampleForm) -> SampledSize:
    values = read_sample(form.file, form.column, form.unit, parse_body_size)
    return SampledSize(tuple(map(round, values)))


class SizesForm(Form):
    """The sizes of bodies that are served in place of flags; it takes exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fixed: BodySize | None = key(None, "The same for every body; `sizes: 100KiB` is short for it.")
    lognormal: LogNormalSizeForm | None = key(
        None, "The long tail of real files, by its median and its 99th percentile."
    )
    sample: (
        Annotated[
            SampledSize,
            FromForm(SizeSampleForm, _read_sizes),
            Shorthand(under_key("file"), _FILE_EDITOR),
        ]
        | None
    ) = key(
        None,
        "A file of sizes that you have measured; each is as likely as any other. One below 1 kB or above 10 "
        "MiB is an error.",
    )

    @model_validator(mode="after")
    def _check_one_key(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("must have exactly one of the keys fixed, lognormal and sample")
        return self

    def sizes(self) -> BodySizes:
        """Return the sizes as a value of the model."""
        if self.lognormal is not None:
            return LogNormalSize(self.lognormal.median, self.lognormal.p99)
        if self.sample is not None:
            return self.sample
        return FixedSize(self.fixed or SMALLEST_BODY)


SizesField: TypeAlias = Annotated[
    BodySizes, FromForm(SizesForm, SizesForm.sizes), Shorthand(under_key("fixed"), SIZE_EDITOR)
]


def name_sizes(sizes: BodySizes) -> str:
    """Write the sizes as a part of the name of a profile, which tells them from a bandwidth."""
    match sizes:
        case FixedSize(size_bytes):
            return f"{size_text(size_bytes)}-bodies"
        case LogNormalSize(median_bytes, p99_bytes):
            return f"{size_text(median_bytes)}-p99-{size_text(p99_bytes)}-bodies"
        case SampledSize():
            median, p99 = map(_rounded_text, (sizes.median_bytes, sizes.p99_bytes))
            return f"sample-{median}-p99-{p99}-bodies"


def _rounded_text(size: float) -> str:
    return size_text(float(f"{size:.3g}"))


def typical_size(sizes: BodySizes) -> float:
    """Return the size that half of all bodies exceed or reach, in bytes."""
    return sizes.size_bytes if isinstance(sizes, FixedSize) else sizes.median_bytes


def large_size(sizes: BodySizes) -> float:
    """Return the size of the largest bodies, in bytes; of a distribution, one of a hundred is larger."""
    match sizes:
        case FixedSize(size_bytes):
            return size_bytes
        case LogNormalSize(_, p99_bytes):
            return p99_bytes
        case SampledSize(values_bytes):
            return values_bytes[-1]
