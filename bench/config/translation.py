"""Pydantic's errors in the words and places of the file that someone has to mend."""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError

from bench.config.blocks import BlocksForm
from bench.config.countries import CountriesForm
from bench.config.faults import FaultForm
from bench.config.fields import SEVERAL, Repeated
from bench.config.latencies import LatencyForm, LogNormalForm
from bench.config.problems import Problem
from bench.config.profiles import ProfileForm
from bench.config.schema import ConfigForm
from bench.config.sides import VariantForm
from bench.config.strategies import StrategyForm
from bench.config.tree import Entries, Mark, Node, Place, Steps, locate
from bench.config.wording import near

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
    what = f"unknown key{near(key, missing)}"
    return Problem(given.get(key, parent.mark), (*parent.steps, key), what)


def _wrong_shape(value: object, kind: str) -> str:
    if isinstance(value, Repeated):
        return Repeated.what
    written = next((word for kind_of, word in _WRITTEN if isinstance(value, kind_of)), "a single value")
    expected = "a list" if kind == "tuple_type" else "a mapping of keys"
    return f"must be {expected}, not {written}"
