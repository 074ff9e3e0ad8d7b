"""Read the flags that are served, or download the files of a target once, before a run or a comparison."""

from dataclasses import replace
from typing import Final

from bench.app.output import print_note
from bench.model.cases import Experiment
from bench.model.text import plural
from bench.report.number_format import format_duration
from bench.runner.target_files import served_files

_LONG_S: Final = 5.0


def with_files(experiment: Experiment) -> Experiment:
    """Return the experiment with the content of each file that is served; read it unless it is known.

    A line says so if the download of a target's files takes a while.

    Raises:
        SetupError: as for ``served_files``.
    """
    if experiment.files:
        return experiment
    target = experiment.target
    if target is not None and target.rate is not None:
        count = len({code for case in experiment.cases for code in case.countries.codes})
        if (took_s := count / target.rate) > _LONG_S:
            files, took = plural(count, "file"), format_duration(took_s)
            print_note(f"downloading {files} of {target.url} once: {took} at its rate")
    return replace(experiment, files=served_files(experiment))
