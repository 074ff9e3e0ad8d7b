"""Check where a target is before any request is sent: other machines need a rate and a permission."""

from dataclasses import replace
from urllib.parse import urlsplit

from bench.errors import SetupError, UsageError
from bench.model.cases import Experiment
from bench.system.addresses import find_remote_address


def check_target(experiment: Experiment, *, allow_remote: bool) -> Experiment:
    """Return the experiment with what is known of the place of its target.

    Raises:
        UsageError: the target is not on a loopback address, and has no rate, is not allowed, or would be
            asked in an open loop.
        SetupError: the name of its host cannot be resolved.
    """
    target = experiment.target
    if target is None:
        return experiment
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    try:
        address = find_remote_address(host, parts.port or (443 if target.is_encrypted else 80))
    except (OSError, UnicodeError) as error:  # no address in the latter's encoding is one
        raise SetupError(f"target: {host} cannot be resolved: {error}", hint="check its name") from error
    if address is None:
        return experiment
    place = host if host == address else f"{host}, at {address},"
    if any(case.rate for case in experiment.cases):
        raise UsageError(
            f"target: {place} is no loopback address, and an open loop keeps no limit",
            hint="its late fetches begin at once; remove `rate` and `rates`, and give `target` a `rate`",
        )
    if target.rate is None:
        raise UsageError(
            f"target: {place} is no loopback address, and the target has no rate",
            hint="limit the load with `rate: 50/s` below `target`, as its owner allows",
        )
    if not allow_remote:
        raise UsageError(
            f"target: {place} is no loopback address",
            hint="give --allow-remote if its owner agrees to be measured",
        )
    return replace(experiment, target=target.as_remote())
