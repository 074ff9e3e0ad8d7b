"""Read ``process``: the CPU work on each flag."""

from typing import Annotated, Final, TypeAlias

from bench.api.processing import KINDS
from bench.config.forms import Form, FromForm, OneOrMore, Shorthand, key, under_key
from bench.config.scalars import one_of, whole
from bench.model.work import Work

_NONE: Final = "none"
_WORDS: Final = (*KINDS, _NONE)
_MOST_TIMES: Final = 100_000


class ProcessForm(Form):
    """CPU work on each flag; if it takes an event loop longer than `request_timeout`, fetches time out."""

    kind: Annotated[str, one_of("kind of work", _WORDS)] = key(
        ...,
        "decode: a Python loop over the bytes; json: they are written and parsed as a list; both keep the "
        "GIL. sha256: lets other threads run above 2,047 bytes; none: no work.",
    )
    times: OneOrMore[Annotated[int, whole(0, _MOST_TIMES)]] = key(
        "1",
        "How often it is done on each flag. With a list, every case is measured with each number, and the "
        "tables say from how many on one overtakes another.",
    )

    def work(self) -> tuple[Work, ...]:
        """Return the work for each number of times, as values of the model."""
        if self.kind == _NONE or not any(self.times):
            return (Work(),)
        return tuple(Work(self.kind, times, len(self.times) > 1) for times in self.times)


ProcessField: TypeAlias = Annotated[
    tuple[Work, ...],
    FromForm(ProcessForm, ProcessForm.work),
    Shorthand(under_key("kind"), {"enum": list(_WORDS)}),
]
