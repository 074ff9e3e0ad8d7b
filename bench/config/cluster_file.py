"""Read the cluster of ``run --on``: the address of a scheduler here, or a file with the key ``scheduler``."""

from pathlib import Path

from bench.config import catalog
from bench.config.catalog import read_own_client
from bench.config.forms import Form, key
from bench.config.loader import validate
from bench.config.lookup import LookupContext
from bench.config.schedulers import SchedulerField, needs_settings, parse_scheduler
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
        address = parse_scheduler(text)
    except ValueError as error:
        raise UsageError(f"--on {error}") from error
    if needs_settings(address):
        raise UsageError(f"--on: {text} is not a loopback address", hint=_HINT)
    return Scheduler(address)


def _read_file(file: Path) -> Scheduler:
    context = LookupContext({}, {}, catalog.read_strategy, read_own_client, file.absolute().parent)
    form = validate(parse(read_file(file)), file, context, ClusterForm)
    if form.scheduler.address == EMBEDDED:
        raise UsageError(
            f"--on: {file} names no cluster but the embedded one", hint="name the address of a scheduler"
        )
    return form.scheduler
