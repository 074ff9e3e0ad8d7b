"""Labels of machines, what is stored of them, and which may take part when a run is resumed."""

import json
from dataclasses import replace

import pytest

from bench.errors import SetupError
from bench.runner.cluster.machines import (
    describe_machines,
    join_fingerprints,
    joined_machines,
    known_machines,
    measured_environment,
    name_machines,
    one_per_host,
)
from bench.runner.cluster.messages import Answer, MachineFacts, MachineFault, decode_answer, encode_answer
from bench.system.host_identity import host_identity
from tests.builders import case, trials

OWN = {"flagbench": "0.1.0", "git": None, "fingerprint": "mine", "processor": {"cores": 64}}


def facts(host: str, fingerprint: str = "f", **environment: object) -> MachineFacts:
    described = {"python": {"version": "3.13.1"}, "libraries": {}, "processor": {"cores": 4}, **environment}
    return MachineFacts(host, fingerprint, described, ())


def test_one_worker_of_each_machine_measures() -> None:
    found = {"tcp://b:2": facts("x"), "tcp://a:9": facts("y"), "tcp://b:1": facts("x")}
    chosen, lines = one_per_host(found)
    assert chosen == {"tcp://b:1": facts("x"), "tcp://a:9": facts("y")}
    assert len(lines) == 1
    assert lines[0].startswith("tcp://b:1 and tcp://b:2 are on one machine")


def test_a_machine_keeps_its_label_when_a_run_is_resumed_and_a_new_one_gets_the_next() -> None:
    first = name_machines({"tcp://a:1": facts("x"), "tcp://b:1": facts("y")}, {})
    assert [(each.label, each.address) for each in first] == [("M1", "tcp://a:1"), ("M2", "tcp://b:1")]
    known = {each.label: each.stored() for each in first}
    again = name_machines({"tcp://a:7": facts("z"), "tcp://b:8": facts("y")}, known)
    assert [(each.label, each.address) for each in again] == [("M2", "tcp://b:8"), ("M3", "tcp://a:7")]
    assert joined_machines(again, known).keys() == {"M3"}


def test_a_machine_that_has_changed_cannot_go_on() -> None:
    known = {"M1": name_machines({"tcp://a:1": facts("x")}, {})[0].stored()}
    name_machines({"tcp://a:1": facts("x")}, json.loads(json.dumps(known)))
    with pytest.raises(SetupError) as caught:
        name_machines({"tcp://a:1": facts("x", processor={"cores": 2})}, known)
    assert caught.value.details == ("M1 at tcp://a:1: processor changed",)


def test_a_new_machine_may_have_another_processor_but_no_other_python() -> None:
    known = {"M1": name_machines({"tcp://a:1": facts("x")}, {})[0].stored()}
    name_machines({"tcp://b:1": facts("y", "g", processor={"cores": 2})}, known)
    with pytest.raises(SetupError) as caught:
        name_machines({"tcp://b:1": facts("y", python={"version": "3.11.2"})}, known)
    assert caught.value.details == ("M2 at tcp://b:1: python changed",)


def test_a_run_stores_facts_of_its_machines_and_not_of_the_command() -> None:
    machines = name_machines({"tcp://a:1": facts("x", "f"), "tcp://b:1": facts("y", "g")}, {})
    environment = describe_machines(machines, OWN)
    assert environment["processor"] == {"cores": 4}
    assert environment["flagbench"] == "0.1.0"
    assert environment["fingerprint"] == join_fingerprints(["g", "f"]) not in {"f", "g", "mine"}
    assert environment["machines"]["M2"]["fingerprint"] == "g"
    assert "tcp" not in json.dumps(environment)


def test_the_fingerprint_of_a_run_is_that_of_the_machines_that_measured_it() -> None:
    machines = name_machines({"tcp://a:1": facts("x", "f"), "tcp://b:1": facts("y", "g")}, {})
    begun = describe_machines(machines[:1], OWN)
    known = known_machines(begun, [joined_machines(machines, begun["machines"])])
    assert known.keys() == {"M1", "M2"}
    (trial,) = trials(case(), [0.1])
    only_second = measured_environment(begun, [replace(trial, machine="M2", fingerprint="g")], known)
    assert only_second["fingerprint"] == "g"
    assert only_second["machines"] == known
    assert measured_environment(OWN, [trial], {}) == OWN


def test_answers_are_read_as_they_were_written() -> None:
    answers: list[Answer] = [facts("x"), MachineFault("why", "how"), *trials(case(), [0.1])]
    for answer in answers:
        assert decode_answer(encode_answer(answer)) == answer


def test_processes_of_this_machine_are_on_one_host() -> None:
    assert host_identity() == host_identity()
    assert len(host_identity()) == 16
