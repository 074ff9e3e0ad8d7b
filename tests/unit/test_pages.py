"""The pages that show measured results: their sentences and verdicts, on runs whose truth is known."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.errors import UsageError
from bench.model.cases import Profile, Unknown
from bench.model.results import Run
from bench.stats.intervals import Interval
from bench.storage.run_json import run_from_bytes, run_to_json_text
from docs.pages import evidence
from docs.pages.__main__ import page_configs, write
from docs.pages.answers import find_sentence, write_answers
from docs.pages.comparisons import compare_pairs, describe_comparison, describe_speed, neighbours
from docs.pages.page_config import Answer, Claim, PageConfig
from docs.pages.page_text import results_table
from docs.pages.published import judge_claims, write_published
from tests.builders import case, failed, run_of, trials

FAST, SLOW, SAME = case("asyncio_gather", "aiohttp"), case(), case("threads_queue")
NOISE = [1.0, 1.01, 0.99, 1.005, 0.995, 1.002, 0.998, 1.001, 0.999, 1.003]
ANSWER = """
x-answer:
  question: Is *this* faster?
  compare:
    far: [asyncio_gather/*, threadpool_map/*]
    near: [threads_queue/*, threadpool_map/*]
  says:
    - {when: {far: slower}, say: "No: it is {far}."}
    - {when: {far: faster, near: [equivalent, inconclusive]}, say: "Yes: it is {far}, and the other {near}."}
  unproven: anything else.
"""


def example_run(factor: float = 2.0) -> Run:
    """Return a run in which FAST takes less than SLOW by a factor, and SAME as long as SLOW."""
    of_slow = [0.1 * each for each in NOISE]
    return run_of(
        {
            FAST: trials(FAST, [each / factor for each in of_slow]),
            SLOW: trials(SLOW, of_slow),
            SAME: trials(SAME, [each * 1.0001 for each in of_slow]),
        }
    )


def config_of(folder: Path, text: str, page: str = "answers", name: str = "example") -> PageConfig:
    path = folder / "configs" / page / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return PageConfig(path)


@pytest.fixture
def kept_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(evidence, "_BASELINES", tmp_path / "baselines")
    for module in ("docs.pages.page_text", "docs.pages.evidence"):
        monkeypatch.setattr(f"{module}.ROOT", tmp_path)
    return tmp_path


def test_ratio_is_how_many_times_as_fast_the_first_case_is() -> None:
    found = compare_pairs(example_run(), {"far": ("asyncio_gather/*", "threadpool_map/*")})["far"]
    assert found.found.ratio.estimate == pytest.approx(2)
    assert describe_speed(found) == "2.00 times as fast (2.00 to 2.00)"
    assert describe_comparison(found) == (
        "asyncio_gather with aiohttp and 3 workers against threadpool_map with requests and 3 workers: "
        "2.00 times as fast (2.00 to 2.00)"
    )


def test_slower_case_has_a_ratio_below_one() -> None:
    found = compare_pairs(example_run(), {"far": ("threadpool_map/*", "asyncio_gather/*")})["far"]
    assert describe_speed(found) == "0.500 times as fast (0.500 to 0.500)"


def test_difference_without_a_verdict_says_that_it_is_not_sure() -> None:
    """Three blocks can never bear out a difference, however clear."""
    run = example_run()
    few = replace(run, trials=tuple(trial for trial in run.trials if trial.block < 3))
    found = compare_pairs(few, {"far": ("asyncio_gather/*", "threadpool_map/*")})["far"]
    assert found.found.verdict == "inconclusive"
    assert describe_speed(found) == "perhaps as fast"  # three blocks have no interval either
    clear = replace(found, found=replace(found.found, ratio=Interval(2.0, 1.9, 2.1)))
    assert describe_speed(clear) == "2.00 times as fast (1.90 to 2.10, not sure beside the other comparisons)"
    unclear = replace(found, found=replace(found.found, ratio=Interval(1.05, 0.9, 1.2)))
    assert describe_speed(unclear) == "perhaps as fast (1.05 times, 0.900 to 1.20, not told apart)"
    assert describe_comparison(unclear) == (
        "asyncio_gather with aiohttp and 3 workers and threadpool_map with requests and 3 workers were "
        "not told apart (0.900 to 1.20)"
    )


def test_equal_cases_are_practically_as_fast() -> None:
    found = compare_pairs(example_run(), {"near": ("threads_queue/*", "threadpool_map/*")})["near"]
    assert describe_speed(found) == "practically as fast (1.00 to 1.00)"


@pytest.mark.parametrize("pattern", ["none/*", "thread*"])
def test_pattern_must_match_one_case(pattern: str) -> None:
    with pytest.raises(UsageError):
        compare_pairs(example_run(), {"far": (pattern, "asyncio_gather/*")})


def test_answer_is_the_first_sentence_that_the_verdicts_bear_out(tmp_path: Path) -> None:
    answer = config_of(tmp_path, ANSWER).answer
    found = compare_pairs(example_run(), answer.compare)
    assert find_sentence(answer, found) == (
        "Yes: it is 2.00 times as fast (2.00 to 2.00), and the other practically as fast (1.00 to 1.00)."
    )
    slower = compare_pairs(example_run(0.5), answer.compare)
    assert find_sentence(answer, slower) == "No: it is 0.500 times as fast (0.500 to 0.500)."


def test_answer_says_so_if_no_sentence_is_true(tmp_path: Path) -> None:
    answer = config_of(tmp_path, ANSWER).answer
    found = find_sentence(answer, compare_pairs(example_run(1.0), answer.compare))
    assert found.startswith("None of the expected answers was found. asyncio_gather with aiohttp")


def test_sentence_of_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(ValidationError, match="compares nothing named other"):
        Answer.model_validate(
            {"question": "", "unproven": "", "says": [{"when": {"other": "faster"}, "say": ""}]}
        )


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"compare": ["a", "b"]},
        {"compare": ["a", "b"], "order": ["a", "b"]},
        {"compare": ["a", "b"], "at_least": 2, "expected": ["faster"]},
        {"against": "other"},
    ],
)
def test_claim_has_one_test(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="takes"):
        Claim.model_validate({"text": "", **keys})


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        ("{compare: [asyncio_gather/*, threadpool_map/*], at_least: 1.9}", "holds"),
        ("{compare: [asyncio_gather/*, threadpool_map/*], at_least: 2.1}", "does not hold"),
        ("{compare: [asyncio_gather/*, threadpool_map/*], expected: [faster]}", "holds"),
        ("{compare: [threads_queue/*, threadpool_map/*], expected: [equivalent, inconclusive]}", "holds"),
        ("{compare: [threads_queue/*, threadpool_map/*], expected: [faster]}", "does not hold"),
        ("{order: [asyncio_gather/*, threadpool_map/*]}", "holds"),
        ("{order: [threadpool_map/*, asyncio_gather/*]}", "does not hold"),
        ("{order: [asyncio_gather/*, threads_queue/*, threadpool_map/*]}", "undecided"),
    ],
)
def test_outcome_of_a_claim(tmp_path: Path, test: str, outcome: str) -> None:
    config = config_of(tmp_path, published(f"[{{text: that, {test[1:]}]"), "published")
    (judged,) = judge_claims(config, {"example": example_run()})
    assert judged.outcome == outcome


def test_claim_is_undecided_where_the_interval_allows_both(tmp_path: Path) -> None:
    wide = [2.0 * each**20 for each in NOISE]
    run = run_of(
        {
            FAST: trials(FAST, [0.1 / each for each in wide]),
            SLOW: trials(SLOW, [0.1] * len(wide)),
        }
    )
    claim = "[{text: that, compare: [asyncio_gather/*, threadpool_map/*], at_least: 2}]"
    config = config_of(tmp_path, published(claim), "published")
    (judged,) = judge_claims(config, {"example": run})
    assert judged.outcome == "undecided"


@pytest.mark.parametrize(("least", "outcome"), [(1.9, "holds"), (2.1, "does not hold")])
def test_claim_against_another_server_compares_each_case(tmp_path: Path, least: float, outcome: str) -> None:
    config = config_of(
        tmp_path, published(f"[{{text: that, against: other, at_least: {least}}}]"), "published"
    )
    slow = run_of({FAST: trials(FAST, [0.2 * each for each in NOISE])})
    quick = run_of({FAST: trials(FAST, [0.1 * each for each in NOISE])})
    (judged,) = judge_claims(config, {"example": slow, "other": quick})
    assert judged.outcome == outcome
    assert judged.text == "that: asyncio_gather with aiohttp and 3 workers"
    assert judged.evidence.startswith("2.00 times as long (")


@pytest.mark.parametrize(("dropped", "outcome"), [(3, "holds"), (1, "does not hold")])
def test_claim_on_discarded_trials_counts_those_with_its_reason(
    tmp_path: Path, dropped: int, outcome: str
) -> None:
    reasons = ["the kernel dropped connections: 7"] * dropped + ["others used a core"] * (4 - dropped)
    run = run_of({FAST: [failed(FAST, block, "invalid", each) for block, each in enumerate(reasons)]})
    claim = "[{text: that, discarded: the kernel dropped connections}]"
    (judged,) = judge_claims(
        config_of(tmp_path, published(claim).replace("{asyncio_gather/*: 7 s}", "{}"), "published"),
        {"example": run},
    )
    assert judged.outcome == outcome
    assert judged.evidence == f"{dropped} of 4 trials were discarded: the kernel dropped connections"


def test_discarded_trials_of_a_claim_have_their_times(tmp_path: Path) -> None:
    dropped = [
        replace(trial, outcome="invalid", detail="the kernel dropped connections: 7")
        for trial in trials(FAST, [1.2, 1.1, 1.6])
    ]
    claim = "[{text: that, discarded: the kernel dropped connections}]"
    (judged,) = judge_claims(
        config_of(tmp_path, published(claim).replace("{asyncio_gather/*: 7 s}", "{}"), "published"),
        {"example": run_of({FAST: dropped})},
    )
    assert judged.evidence.endswith(
        "These took, in the median, asyncio_gather with aiohttp and 3 workers: 1.2 s (1.1 s to 1.6 s)"
    )


def test_pair_of_two_claims_is_tested_once(tmp_path: Path) -> None:
    """Holm's correction is for distinct comparisons: a second claim on a pair makes no verdict less sure."""
    pair = "compare: [asyncio_gather/*, threadpool_map/*]"
    other = "{text: other, compare: [threads_queue/*, threadpool_map/*], expected: [faster]}"
    one = f"[{{text: that, {pair}, expected: [faster]}}, {other}]"
    two = f"[{{text: that, {pair}, expected: [faster]}}, {{text: this, {pair}, at_least: 1.9}}, {other}]"
    run = example_run()
    found = [
        judge_claims(config_of(tmp_path, published(each), "published", f"c{n}"), {f"c{n}": run})
        for n, each in enumerate((one, two))
    ]
    assert [each.evidence for each in found[0]] == [each.evidence for each in (found[1][0], found[1][2])]


def test_count_leaves_out_claims_that_are_not_published(kept_below: Path) -> None:
    claim = "compare: [asyncio_gather/*, threadpool_map/*]"
    claims = (
        f"[{{text: a, {claim}, expected: [faster]}}, {{text: b, {claim}, expected: [slower]}}, "
        f"{{text: c, kind: ours, {claim}, expected: [faster]}}]"
    )
    config = config_of(kept_below, published(claims), "published")
    evidence.keep(config, example_run())
    write_published([config], kept_below / "published.md")
    page = (kept_below / "published.md").read_text()
    assert "Of 2 published claims: 1 borne out and 1 not borne out." in page
    assert "adapted claim" not in page
    assert "| c | ours | **holds** |" in page


def test_order_names_the_neighbours_that_are_not_in_it(tmp_path: Path) -> None:
    order = "[{text: that, order: [asyncio_gather/*, threads_queue/*, threadpool_map/*]}]"
    (judged,) = judge_claims(config_of(tmp_path, published(order), "published"), {"example": example_run()})
    assert judged.evidence.startswith("Of 2 pairs of neighbours, 1 in this order and 1 practically equal; ")
    assert "threads_queue" in judged.evidence
    assert "asyncio_gather" not in judged.evidence


def test_neighbours_are_each_two_that_follow_each_other() -> None:
    assert neighbours(["a", "b", "c"]) == {"a": ("a", "b"), "b": ("b", "c")}


def test_kept_run_has_all_that_the_page_shows_and_is_small(kept_below: Path) -> None:
    config, run = config_of(kept_below, ANSWER), example_run()
    evidence.keep(config, run)
    kept = evidence.load_kept(config)
    assert [trial.rounds[0].elapsed_s for trial in kept.trials] == [
        trial.rounds[0].elapsed_s for trial in run.trials
    ]
    assert run_from_bytes(run_to_json_text(kept).encode()) == kept
    assert evidence.kept_file(config).stat().st_size < len(run_to_json_text(run)) / 20


def test_page_of_answers_has_sentence_table_limits_and_command(kept_below: Path) -> None:
    config = config_of(kept_below, ANSWER)
    evidence.keep(config, example_run())
    write_answers([config], kept_below / "answers.md")
    page = (kept_below / "answers.md").read_text()
    assert "- [Is *this* faster?](#is-this-faster)\n" in page
    assert "**Yes: it is 2.00 times as fast (2.00 to 2.00), and the other practically as fast" in page
    assert "| asyncio_gather | aiohttp | 3 | 50 ms | 49.8 ms–50.2 ms |" in page
    assert "Not proven: anything else." in page
    assert "`python -m bench run configs/answers/example.yaml`" in page


def test_page_of_published_results_has_their_figures_and_verdicts(kept_below: Path) -> None:
    claims = "[{text: it is faster, compare: [asyncio_gather/*, threadpool_map/*], expected: [faster]}]"
    config = config_of(kept_below, published(claims), "published")
    evidence.keep(config, example_run())
    write_published([config], kept_below / "published.md")
    page = (kept_below / "published.md").read_text()
    assert "| [Title](#title) | it is faster | published | **holds** |" in page
    assert " Of 1 published claim: 1 borne out.\n" in page
    assert "| asyncio_gather | aiohttp | 3 | 7 s | 50 ms |" in page
    assert "- **holds**: it is faster. Asyncio_gather" not in page  # names keep their spelling
    assert "- **holds**: it is faster. asyncio_gather with aiohttp" in page


def test_table_of_a_target_has_a_row_for_a_case_that_was_never_timed() -> None:
    """Nothing is known of its delays, so there is no share of the ideal."""
    target = Profile("target", Unknown(), server="http://127.0.0.1:9")
    timed, dropped = replace(FAST, profile=target), replace(SLOW, profile=target)
    run = run_of(
        {
            timed: trials(timed, [0.1] * 8),
            dropped: [replace(failed(dropped, 0, "invalid", "dropped"), attempt=3)],
        }
    )
    assert results_table(run).splitlines()[-2:] == [
        "| asyncio_gather | aiohttp | 3 | 100 ms | 100 ms–100 ms |",
        "| threadpool_map | requests | 3 | invalid | – |",
    ]


def test_server_at_the_port_of_a_published_one_is_not_measured_in_its_place(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        text = published("[]").replace("figures", f"server: {{program: none.py, port: {port}}}, figures")
        with pytest.raises(RuntimeError, match="another server is at port"):
            evidence.measure(config_of(tmp_path, text, "published"), tmp_path / "out")


def test_run_with_a_server_of_its_own_names_the_command_of_both(kept_below: Path) -> None:
    text = published("[]").replace(
        "figures", "server: {program: own.py, port: 8719, arguments: ['5']}, figures"
    )
    config = config_of(kept_below, text, "published")
    evidence.keep(config, example_run())
    write_published([config], kept_below / "published.md")
    assert (
        "`python -m bench run configs/published/example.yaml`, with `python configs/published/own.py 8719 5` "
        "running\n" in (kept_below / "published.md").read_text()
    )


def test_configs_are_in_the_order_of_their_names() -> None:
    names = [config.name for config in page_configs("published")]
    assert names == sorted(names)
    assert names.index("stdlib-server") < names.index("stdlib-server-queue")


def test_pages_are_what_their_kept_runs_say(tmp_path: Path) -> None:
    """Of every config there is a run, and of no other."""
    shutil.copy(evidence.ROOT / "docs" / "config.md", tmp_path)
    write(tmp_path)
    for page in ("answers", "published"):
        assert (tmp_path / f"{page}.md").read_text() == (evidence.ROOT / "docs" / f"{page}.md").read_text()
        kept = evidence.kept_file(page_configs(page)[0]).parent
        assert {each.name for each in kept.iterdir()} == {
            evidence.kept_file(config).name for config in page_configs(page)
        }


def test_page_without_a_measured_run_is_refused(kept_below: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_answers([config_of(kept_below, ANSWER)], kept_below / "answers.md")


def published(claims: str) -> str:
    """Write a published result with these claims."""
    facts = "title: Title, source: there, setup: theirs, differences: ours"
    return f"x-published: {{{facts}, figures: {{asyncio_gather/*: 7 s}}, claims: {claims}}}"
