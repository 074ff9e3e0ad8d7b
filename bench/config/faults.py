"""Read the faults of a profile, and check that they go together."""

from collections.abc import Sequence
from math import fsum
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import ConfigDict, model_validator

from bench.config.forms import IS_DUPLICATE, FieldError, Form, FromForm, Shorthand, key, reject, under_key
from bench.config.scalars import PositiveShare, one_of, whole
from bench.model.cases import Fault
from bench.model.faults import KINDS

_WITHOUT_SETTINGS: Final = {"enum": [kind for kind in KINDS if kind != "status"]}
_ALL: Final = 1.0

Protocol: TypeAlias = Literal["HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2"]


class FaultForm(Form):
    """A fault of some of the answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["kind"], "properties": {"kind": {"const": "status"}}},
            "then": {"required": ["status"]},
            "else": {"properties": {"status": False}},
        }
    )

    kind: Annotated[str, one_of("fault", KINDS, hint="; see `flagbench list faults`")] = key(
        ..., "The kind of fault; `list faults` describes them all."
    )
    rate: PositiveShare = key(
        1.0, "The share of fetches that meet it; all rates of a profile add up to 100% at the most."
    )
    status: Annotated[int, whole(400, 599)] | None = key(
        None, "The status of the answers; required with kind `status`, and only there."
    )

    @model_validator(mode="after")
    def _check_status(self) -> Self:
        if self.kind == "status" and self.status is None:
            raise ValueError("kind 'status' needs the key status, from 400 to 599")
        if self.kind != "status" and self.status is not None:
            reject([FieldError(("status",), "is for kind 'status' only; remove it")])
        return self

    def fault(self) -> Fault:
        """Return the fault as a value of the model."""
        return Fault(self.kind, self.rate, self.status or 0)


FaultField: TypeAlias = Annotated[
    Fault, FromForm(FaultForm, FaultForm.fault), Shorthand(under_key("kind"), _WITHOUT_SETTINGS)
]


def check_faults(faults: Sequence[Fault], error_rate: float, protocol: Protocol) -> list[FieldError]:
    """Find faults that the protocol cannot have, duplicates, and rates above 100 % in all."""
    kinds = [(fault.kind, fault.status) for fault in faults]
    reasons = [
        _misplaced(fault, protocol) or (IS_DUPLICATE if kinds[index] in kinds[:index] else None)
        for index, fault in enumerate(faults)
    ]
    errors = [FieldError((index,), reason) for index, reason in enumerate(reasons) if reason]
    if not errors and fsum([error_rate, *(fault.rate for fault in faults)]) > _ALL:
        also = " and error_rate" if error_rate else ""
        return [FieldError((), f"the rates{also} add up to more than 100%")]
    return errors


def _misplaced(fault: Fault, protocol: Protocol) -> str | None:
    """Return why a protocol cannot have a fault, or None."""
    kind = KINDS[fault.kind]
    if kind.needs_tls and protocol == "HTTP/1.1":
        return f"{fault.kind} needs 'tls: true'"
    if (kind.http2 if protocol == "HTTP/2" else kind.http1) == "none":
        return f"{fault.kind} does not exist over {protocol}"
    if kind.is_total and fault.rate < _ALL:
        return f"{fault.kind} happens before the request, so all fetches meet it; remove the rate"
    return None
