"""What is wrong with a config, and how it is told: one line a fault, in the order of the file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from bench.config.blocks import BlocksForm
from bench.config.countries import CountriesForm
from bench.config.faults import FaultForm
from bench.config.latency import LatencyForm, LogNormalForm
from bench.config.profiles import ProfileForm
from bench.config.pydantic_types import SEVERAL, Duplicate
from bench.config.quoting import did_you_mean, quote_text
from bench.config.schema import ConfigForm
from bench.config.strategies import StrategyForm
from bench.config.variants import VariantForm
from bench.config.yaml_tree import Entries, Mark, Node, Place, Steps, locate, path_text
from bench.errors import ConfigError

_MOST_TOLD: Final = 50
_LONGEST_PATH: Final = 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it stands, the path of what it concerns, and what is wrong."""

    mark: Mark
    steps: Steps
    what: str


def config_error(file: Path, problems: Iterable[Problem]) -> ConfigError:
    """Return the error that tells all problems, each as ``path:line:column key.path: what``."""
    first_of_place: dict[tuple[Mark, Steps], Problem] = {}
    for problem in problems:
        first_of_place.setdefault((problem.mark, problem.steps), problem)
    ordered = sorted(first_of_place.values(), key=lambda problem: problem.mark)
    lines = [_line(file, problem) for problem in ordered[:_MOST_TOLD]]
    if len(ordered) > _MOST_TOLD:
        lines.append(f"{path_shown(file)}: {len(ordered) - _MOST_TOLD:,} more problems")
    return ConfigError(tuple(lines))


def path_shown(file: Path) -> str:
    """Return a path as given, or quoted where it holds what a terminal would act upon."""
    text = str(file)
    return text if text.isprintable() and len(text) <= _LONGEST_PATH else quote_text(text)


def _line(file: Path, problem: Problem) -> str:
    where = f"{path_shown(file)}:{problem.mark.line}:{problem.mark.column}"
    path = path_text(problem.steps)
    return f"{where} {path}: {problem.what}" if path else f"{where}: {problem.what}"


_FORMS: Final[Mapping[str, type[BaseModel]]] = {
    "": ConfigForm,
    "countries": CountriesForm,
    "strategies": StrategyForm,
    "profile": ProfileForm,
    "profiles": ProfileForm,
    "latency": LatencyForm,
    "lognormal": LogNormalForm,
    "faults": FaultForm,
    "blocks": BlocksForm,
    "variants": VariantForm,
}
"""The form that may stand under a key, for one of whose keys an unknown one may have been meant."""

_WRITTEN: Final = ((list, "a list"), (dict, "a mapping"))


def problems_of(error: ValidationError, root: Node) -> Iterator[Problem]:
    """Yield a problem for every fault that pydantic or a validator has found."""
    for found in error.errors(include_url=False):
        steps: Steps = found["loc"]
        match found["type"]:
            case "missing":
                parent = locate(root, steps[:-1])
                yield Problem(parent.mark, (*parent.steps, steps[-1]), "is missing")
            case "extra_forbidden":
                yield _unknown_key(locate(root, steps[:-1]), str(steps[-1]))
            case kind if kind == SEVERAL:
                for fault in found["ctx"]["faults"]:
                    read = _at_key if fault.of_key else _at
                    yield read(root, (*steps, *fault.steps), fault.what)
            case "value_error":
                yield _at(root, steps, str(found["ctx"]["error"]))
            case _:
                yield _at(root, steps, _wrong_shape(found["input"], found["type"]))


def _at(root: Node, steps: Steps, what: str) -> Problem:
    place = locate(root, steps)
    return Problem(place.mark, place.steps, what)


def _at_key(root: Node, steps: Steps, what: str) -> Problem:
    parent, key = locate(root, steps[:-1]), str(steps[-1])
    return Problem(_marks(parent).get(key, parent.mark), (*parent.steps, key), what)


def _marks(parent: Place) -> Mapping[str, Mark]:
    return parent.node.key_marks if isinstance(parent.node, Entries) else {}


def _unknown_key(parent: Place, key: str) -> Problem:
    names = [step for step in parent.steps if isinstance(step, str)]
    given = _marks(parent)
    missing = [field for field in _FORMS[names[-1] if names else ""].model_fields if field not in given]
    what = f"unknown key{did_you_mean(key, missing)}"
    return Problem(given.get(key, parent.mark), (*parent.steps, key), what)


def _wrong_shape(value: object, kind: str) -> str:
    if isinstance(value, Duplicate):
        return Duplicate.what
    written = next((word for kind_of, word in _WRITTEN if isinstance(value, kind_of)), "a single value")
    expected = "a list" if kind == "tuple_type" else "a mapping of keys"
    return f"must be {expected}, not {written}"
