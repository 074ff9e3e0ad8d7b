"""The names of cases for people: their client, and what is unusual about its connections and its place."""

from dataclasses import replace

import pytest

from bench.model.cases import Case
from bench.report.case_label import client_label, describe_case, describe_series
from bench.report.export.cases import parameters
from bench.stats.scaling import series_key
from tests.builders import case

HERE = case("dask", "urllib3")
ELSEWHERE = replace(HERE, scheduler="tls://10.0.0.1:8786")


@pytest.mark.parametrize(
    ("named", "label", "words"),
    [
        (HERE, "urllib3", "dask with urllib3"),
        (ELSEWHERE, "urllib3/10.0.0.1:8786", "dask with urllib3, on the cluster of 10.0.0.1:8786"),
        (
            replace(ELSEWHERE, keep_alive=False),
            "urllib3/close/10.0.0.1:8786",
            "dask with urllib3, a connection per request, on the cluster of 10.0.0.1:8786",
        ),
        (replace(HERE, connections=2), "urllib3/2conn", "dask with urllib3, at most 2 connections"),
    ],
)
def test_label_and_words_of_a_series_have_its_place(named: Case, label: str, words: str) -> None:
    assert client_label(named) == client_label(series_key(named)) == label
    assert describe_series(series_key(named)) == words
    assert describe_case(named).startswith(words.partition(",")[0])
    assert describe_case(named).endswith(words.partition("urllib3")[2])


def test_clusters_are_not_mixed_in_one_line_of_a_chart() -> None:
    other = replace(ELSEWHERE, scheduler="tcp://127.0.0.1:8786")
    assert len({series_key(each) for each in (HERE, ELSEWHERE, other, replace(other, workers=7))}) == 3


def test_exports_have_the_scheduler_of_a_case_that_has_one() -> None:
    assert parameters(ELSEWHERE)["scheduler"] == "tls://10.0.0.1:8786"
    assert "scheduler" not in parameters(HERE)
