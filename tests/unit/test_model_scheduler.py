"""Cases on the machines of a cluster: their ids, and what is stored of them."""

from dataclasses import replace

import pytest

from bench.model.cases import Case
from bench.model.json_codec import from_json_value, to_json_value
from bench.model.scheduler import EMBEDDED, Scheduler
from tests.builders import case

DASK = case("dask", "urllib3")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (EMBEDDED, ""),
        ("tcp://127.0.0.1:8786", "127.0.0.1:8786"),
        ("tls://[::1]:8786", "[::1]:8786"),
        ("tls://machines.example:1", "machines.example:1"),
    ],
)
def test_place_of_a_scheduler_is_its_host_and_port(address: str, place: str) -> None:
    assert Scheduler(address).place == replace(DASK, scheduler=address).place == place


def test_place_is_the_last_part_of_an_id_before_the_variant() -> None:
    assert DASK.id == "dask/urllib3/3/20ms"
    elsewhere = replace(DASK, scheduler="tls://10.0.0.1:8786")
    assert elsewhere.id == "dask/urllib3/3/20ms/10.0.0.1:8786"
    closing = replace(elsewhere, keep_alive=False)
    assert closing.id == "dask/urllib3/3/20ms/close/10.0.0.1:8786"
    assert replace(elsewhere, variant="main").id.startswith(elsewhere.id)
    assert replace(elsewhere, variant="main").plain_id == elsewhere.id


def test_case_of_before_there_were_clusters_is_read_and_written_as_it_was() -> None:
    stored = to_json_value(DASK)
    assert "scheduler" not in stored
    assert from_json_value(Case, stored, "case") == DASK
    elsewhere = replace(DASK, scheduler="tcp://127.0.0.1:8786")
    assert to_json_value(elsewhere) == {**stored, "scheduler": "tcp://127.0.0.1:8786"}
    assert from_json_value(Case, to_json_value(elsewhere), "case") == elsewhere
