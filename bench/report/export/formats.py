"""Every format by its name."""

from collections.abc import Callable, Mapping
from typing import Final

from bench.measurement import Run
from bench.report.export.cases_csv import to_csv
from bench.report.export.document import to_json
from bench.report.export.markdown import to_markdown

FORMATS: Final[Mapping[str, Callable[[Run], str]]] = {
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
}
