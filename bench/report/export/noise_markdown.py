"""The noise of a machine as GitHub-flavoured Markdown."""

from bench.report.noise_figures import LINES, failures, heading, headline
from bench.report.noise_sentence import noise_conclusion
from bench.report.pipes import paragraph, piped, plain
from bench.storage.noise import NoiseRecord


def noise_to_markdown(record: NoiseRecord) -> str:
    """Write the figures, what to change, and what it comes to."""
    cases = record.noise.cases
    parts = [f"### {plain(headline(record))}", ""]
    if cases:
        parts.append(piped(["", *(plain(heading(case).replace("\n", " ")) for case in cases)]))
        parts.append(piped(["---", *["---:"] * len(cases)]))
        parts += [piped([each.label.strip(), *(each.cell(case) for case in cases)]) for each in LINES]
        parts.append("")
    if record.noise.unmeasured:
        parts += [*(f"- {paragraph(failure)}" for failure in failures(record.noise)), ""]
    parts += [piped(["what moves timings", "here", "read from", "what to do"]), piped(["---"] * 4)]
    parts += [
        piped([plain(each) for each in (found.what, found.value, found.source, found.remedy)])
        for found in record.advice
    ]
    return "\n".join([*parts, "", paragraph(noise_conclusion(record.noise)), ""])
