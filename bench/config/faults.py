"""The faults of a profile: what goes wrong, how often, and what cannot go together."""

from collections.abc import Sequence
from math import fsum
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from bench.config.pydantic_types import Duplicate, FieldError, Form, FromForm, Shorthand, Text, key_of, reject
from bench.config.quoting import did_you_mean, quote_text
from bench.config.scalars import PositiveShare, whole
from bench.model import cases
from bench.model.faults import KINDS

_KIND: Final = {"enum": list(KINDS)}
_KIND_ALONE: Final = {"enum": [kind for kind in KINDS if kind != "status"]}
_ALL: Final = 1.0

Protocol: TypeAlias = Literal["HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2"]


def _kind(text: str) -> str:
    if text not in KINDS:
        hint = did_you_mean(text, KINDS) or "; see `flagbench list faults`"
        raise ValueError(f"unknown fault {quote_text(text)}{hint}")
    return text


class FaultForm(Form):
    """What goes wrong with some of the answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["kind"], "properties": {"kind": {"const": "status"}}},
            "then": {"required": ["status"]},
            "else": {"properties": {"status": False}},
        }
    )

    kind: Annotated[str, Text(_kind, _KIND)] = Field(description="What happens; `list faults` has them all.")
    rate: PositiveShare = Field(default=1.0, description="Share of fetches that meet it.")
    status: Annotated[int, whole(400, 599)] | None = Field(
        default=None, description="What kind `status` answers."
    )

    @model_validator(mode="after")
    def _status_of_status(self) -> Self:
        if self.kind == "status" and self.status is None:
            raise ValueError("kind 'status' needs the key status, from 400 to 599")
        if self.kind != "status" and self.status is not None:
            reject([FieldError(("status",), "goes only with kind 'status'")])
        return self

    def fault(self) -> cases.Fault:
        """Return the fault in the words of the model."""
        return cases.Fault(self.kind, self.rate, self.status or 0)


FaultField: TypeAlias = Annotated[
    cases.Fault, FromForm(FaultForm, FaultForm.fault), Shorthand(key_of("kind"), _KIND_ALONE)
]


def unfit(faults: Sequence[cases.Fault], error_rate: float, protocol: Protocol) -> list[FieldError]:
    """Find faults that a profile of this protocol cannot have, or not beside its others."""
    found = [
        FieldError((index,), reason)
        for index, fault in enumerate(faults)
        if (reason := _misplaced(fault, protocol))
    ]
    known = [(fault.kind, fault.status) for fault in faults]
    found += [
        FieldError((index,), Duplicate.what) for index, each in enumerate(known) if each in known[:index]
    ]
    if not found and fsum([error_rate, *(fault.rate for fault in faults)]) > _ALL:
        found = [
            FieldError((), f"the rates{' and error_rate' if error_rate else ''} add up to more than 100%")
        ]
    return found


def _misplaced(fault: cases.Fault, protocol: Protocol) -> str:
    """Say why a protocol cannot have a fault; nothing if it can."""
    kind = KINDS[fault.kind]
    if kind.needs_tls and protocol == "HTTP/1.1":
        return f"{fault.kind} goes only with 'tls: true'"
    if (kind.http2 if protocol == "HTTP/2" else kind.http1) == "none":
        return f"there is no {fault.kind} over {protocol}"
    if kind.is_total and fault.rate < _ALL:
        return f"{fault.kind} happens before there is a request: all fetches meet it; leave the rate out"
    return ""
