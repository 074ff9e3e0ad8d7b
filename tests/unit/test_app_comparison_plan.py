"""Plan comparisons of the user's own functions: which variant has them, and how it calls them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.app.base_config import BaseConfig
from bench.app.comparison_plan import ComparisonRequest, plan_comparison
from bench.app.select import load_experiment
from bench.errors import UsageError
from bench.model.cases import Experiment
from bench.model.comparison import BuiltVariant, Comparison, Variant
from bench.model.function_call import FunctionCall

GET = "def get(url): ...\n"
CODES = "BASE_URL = 'https://x.invalid'\ndef download_many(cc_list): ...\n"
OTHER_CODES = "SITE = 'https://x.invalid'\ndef download_many(codes, base_url): ...\n"


def asked(folder: Path) -> Experiment:
    """Return an experiment with a client and a strategy of the user's."""
    (folder / "get.py").write_text(GET)
    (folder / "codes.py").write_text(CODES)
    config = folder / "mine.yaml"
    config.write_text("strategies: [{name: sequential, clients: ['get.py:get']}, codes.py]\n")
    return load_experiment(str(config))


def variant(folder: Path, **files: str) -> BuiltVariant:
    """Return a variant with files of the user's."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    strategies = {"sequential": folder / "sequential.py"}
    if "codes" in files:
        strategies["codes"] = folder / "codes.py"
    clients = {"get.get": folder / "get.py"} if "get" in files else {}
    return BuiltVariant("python", (), strategies, folder, clients=clients)


def planned(experiment: Experiment, variants: Mapping[str, BuiltVariant]) -> tuple[Experiment, Comparison]:
    """Plan the comparison of two variants."""
    base, candidate = variants
    request = ComparisonRequest(Variant(base), Variant(candidate))
    return plan_comparison(experiment, request, variants, BaseConfig())


def test_each_variant_calls_its_own_function_of_codes(tmp_path: Path) -> None:
    experiment, _ = planned(
        asked(tmp_path),
        {
            "old": variant(tmp_path / "old", get=GET, codes=OTHER_CODES),
            "new": variant(tmp_path / "new", get=GET, codes=CODES),
        },
    )
    assert {label: dict(each.calls) for label, each in experiment.variants.items()} == {
        "old": {
            "codes": FunctionCall(arguments={"codes": "codes", "base_url": "address"}, addresses=("SITE",))
        },
        "new": {"codes": FunctionCall(arguments={"cc_list": "codes"}, addresses=("BASE_URL",))},
    }
    assert len(experiment.cases) == 4


def test_case_whose_client_only_one_variant_has_is_not_compared(tmp_path: Path) -> None:
    experiment, comparison = planned(
        asked(tmp_path),
        {
            "old": variant(tmp_path / "old", codes=CODES),
            "new": variant(tmp_path / "new", get=GET, codes=CODES),
        },
    )
    assert {case.strategy for case in experiment.cases} == {"codes"}
    assert comparison.alone == {"sequential/get.get/1/local": "new"}


def test_client_that_neither_variant_has_is_named(tmp_path: Path) -> None:
    variants = {label: variant(tmp_path / label, codes=CODES) for label in ("old", "new")}
    with pytest.raises(UsageError, match=r"neither old nor new has the client get\.get of sequential"):
        planned(asked(tmp_path), variants)
