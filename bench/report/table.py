"""The model of every table: builders return a `Table`, and `terminal` and `markdown` render it.

To add a column to the table of results or to one below it, see `bench.report.case_columns`.
"""

from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

Align: TypeAlias = Literal["left", "right"]
Tone: TypeAlias = Literal["plain", "best", "good", "bad"]
RemarkKind: TypeAlias = Literal["paragraph", "failure", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: in whole words; a line feed in it is kept on terminals.
        wraps: whether a cell may take several lines on a terminal.
        is_code: whether the cells are names to type, which Markdown shows as code.
        is_optional: whether the column may be left out on a terminal that is too narrow for the whole table.
        order: in which optional columns are left out, the least first; those with the same leave together,
            and those with none (0) one by one from the left.
    """

    heading: str
    align: Align = "right"
    wraps: bool = False
    is_code: bool = False
    is_optional: bool = False
    order: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: one for each column.
        mark: signs in front of the row; the legend explains them.
        tone: how to colour the row.
    """

    cells: tuple[str, ...]
    mark: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Section:
    """Rows below a heading of their own; it is empty if the table has a single section."""

    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence below a table: a paragraph, or one line of several about single trials and cases."""

    text: str
    kind: RemarkKind = "paragraph"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with all that is written around it; without columns, it is only its remarks.

    Attributes:
        note: explains a table that adds detail to the one before it; empty for a table of its own.
        keys: number of columns, from the first, that say what a row is about.
        section_heading: heading of the sections where they are a column of their own. Without one, a
            terminal sets each section apart, however wide it is.
        legend: explains columns and marks.
    """

    title: str = ""
    columns: tuple[Column, ...] = ()
    sections: tuple[Section, ...] = ()
    legend: str = ""
    remarks: tuple[Remark, ...] = ()
    note: str = ""
    keys: int = 1
    section_heading: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all sections."""
        return tuple(row for section in self.sections for row in section.rows)

    @property
    def has_headings(self) -> bool:
        """Whether its sections have headings."""
        return any(section.heading for section in self.sections)

    def flatten(self) -> Self:
        """Return the same table with marks and section headings as columns, and a single section."""
        has_marks = any(row.mark for row in self.rows)
        marks = (Column("", "left"),) if has_marks else ()
        headings = (Column(self.section_heading, "left"),) if self.has_headings else ()
        rows = tuple(
            Row((row.mark,) * len(marks) + (section.heading,) * len(headings) + row.cells, tone=row.tone)
            for section in self.sections
            for row in section.rows
        )
        return replace(
            self,
            columns=(*marks, *headings, *self.columns),
            sections=(Section("", rows),),
            keys=len(marks) + len(headings) + self.keys,
        )
