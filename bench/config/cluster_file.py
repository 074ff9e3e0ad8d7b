"""Read the cluster of ``run --on``: the address of a scheduler here, or a file with the key ``scheduler``."""

from pathlib import Path

from pydantic import ValidationError

from bench.config import catalog
from bench.config.catalog import read_own_client
from bench.config.forms import Form, key
from bench.config.loader import problems_of
from bench.config.lookup import LookupContext
from bench.config.problems import config_error
from bench.config.schedulers import SchedulerField, default_schedulers, parse_scheduler
from bench.config.yaml_reader import parse, read_file
from bench.errors import UsageError
from bench.model.scheduler import EMBEDDED, Scheduler

_HINT = (
    "write `scheduler: {address: …}` with its certificates, or 'insecure: true', into a file, "
    "and name that: --on cluster.yaml"
)


class ClusterForm(Form):
    """A file that says which cluster is meant, and how it is spoken to."""

    scheduler: SchedulerField = key(..., "The scheduler, as in a config.")


def read_cluster(text: str) -> Scheduler:
    """Return the scheduler of an address on this machine, or of a file as a config has it.

    Words of a command line are no place for names of private keys, and a file has the checks of a config.

    Raises:
        UsageError: the address is invalid, or leads to another machine.
        ConfigError: the file is invalid.
    """
    if "://" not in text:
        return _read_file(Path(text))
    try:
        parse_scheduler(text)
    except ValueError as error:
        raise UsageError(f"--on {error}") from error
    try:
        return default_schedulers({"DASK_SCHEDULER_ADDRESS": text})[0]
    except ValueError as error:
        raise UsageError(f"--on: {text} is not an address of this machine", hint=_HINT) from error


def _read_file(file: Path) -> Scheduler:
    document = parse(read_file(file))
    context = LookupContext({}, {}, catalog.read_strategy, read_own_client, file.absolute().parent)
    if document.source is None:
        raise config_error(file, document.problems)
    try:
        form = ClusterForm.model_validate(document.source, context=context)
    except ValidationError as error:
        raise config_error(file, (*document.problems, *problems_of(error, document))) from error
    if document.problems:
        raise config_error(file, document.problems)
    if form.scheduler.address == EMBEDDED:
        raise UsageError(
            f"--on: {file} names no cluster but the embedded one", hint="name the address of a scheduler"
        )
    return form.scheduler
