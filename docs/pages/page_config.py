"""Read what a config says about its part of a page, below ``x-answer`` or ``x-published``.

The keys are those of the forms here. flagbench itself ignores keys that begin with ``x-``.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.model.comparison import Verdict

Pair: TypeAlias = tuple[str, str]
"""Patterns of the ids of two cases: the first is compared with the second."""
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]\w*$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sentence(_Form):
    """A sentence, and the verdicts under which it is true.

    Attributes:
        when: the verdicts that a comparison may have, by its name.
        say: the sentence, with the comparisons in it: ``{name}``.
    """

    when: Mapping[Name, Verdict | tuple[Verdict, ...]]
    say: str

    def holds(self, verdicts: Mapping[str, Verdict]) -> bool:
        """Tell whether all its verdicts were found."""
        return all(
            verdicts[name] in ([each] if isinstance(each, str) else each) for name, each in self.when.items()
        )


class Answer(_Form):
    """A question that a config answers.

    Attributes:
        question: the heading.
        compare: the comparisons that decide, by name.
        says: of these, the first sentence that is true is the answer.
        lines: what the run itself says, below the table.
        unproven: what does not follow from it.
    """

    question: str
    compare: Mapping[Name, Pair] = {}
    says: tuple[Sentence, ...]
    lines: Literal["crossovers", "knees"] | None = None
    unproven: str

    @model_validator(mode="after")
    def _check_says(self) -> "Answer":
        if unknown := {name for each in self.says for name in each.when} - self.compare.keys():
            raise ValueError(f"compares nothing named {', '.join(sorted(unknown))}")
        return self


class Claim(_Form):
    """A published claim, and how it is tested.

    Attributes:
        text: the claim in our words.
        kind: *published*, and tested nearly as it was made; *adapted* to conditions that differ in what may
            matter; *carried over* from another kind of program to downloads; or *ours*.
        compare: the two cases that it is about.
        expected: the verdicts on the first of them that bear it out.
        at_least: how many times as fast the first one is said to be.
        order: cases from the fastest to the slowest, in place of ``compare``.
        against: the run of another config that was measured with another server: each case is said to take
            ``at_least`` times as long as there.
        discarded: why flagbench is said to discard most trials, as their details say it.
    """

    text: str
    kind: Literal["published", "adapted", "carried over", "ours"] = "published"
    compare: Pair | None = None
    expected: tuple[Verdict, ...] = ()
    at_least: float | None = None
    order: tuple[str, ...] = ()
    against: str = ""
    discarded: str = ""

    @model_validator(mode="after")
    def _check_test(self) -> "Claim":
        tests = [self.compare is not None, bool(self.order), bool(self.against), bool(self.discarded)]
        if sum(tests) != 1:
            raise ValueError("takes exactly one of compare, order, against and discarded")
        if self.compare is not None and (self.at_least is None) != bool(self.expected):
            raise ValueError("takes either expected or at_least")
        if self.against and self.at_least is None:
            raise ValueError("takes at_least")
        return self


class Server(_Form):
    """A program beside the config that serves its run; it is started with a port and other arguments."""

    program: str
    port: int
    arguments: tuple[str, ...] = ()


class Published(_Form):
    """A published result that a config repeats.

    Attributes:
        title: the heading.
        source: where it was published.
        setup: what was measured there.
        differences: what is different here.
        figures: what was published, by what it is about.
        claims: what was concluded from it.
        server: that of the run, where it is not the flag server.
        exit_code: that of the run; 8 where trials are discarded.
    """

    title: str
    source: str
    setup: str
    differences: str
    figures: Mapping[str, str]
    claims: tuple[Claim, ...] = ()
    server: Server | None = None
    exit_code: int = 0


class PageConfig:
    """A config of a page.

    Attributes:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The name of its file, by which its results are kept."""
        return self.path.stem

    @property
    def page(self) -> str:
        """The name of its page, which is that of its folder."""
        return self.path.parent.name

    @cached_property
    def answer(self) -> Answer:
        """The question that it answers."""
        return Answer.model_validate(self._source["x-answer"])

    @cached_property
    def published(self) -> Published:
        """The published result that it repeats."""
        return Published.model_validate(self._source["x-published"])

    @cached_property
    def _source(self) -> Any:
        return yaml.safe_load(self.path.read_text(encoding="utf-8"))
