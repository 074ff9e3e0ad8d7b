"""How much was read from and written to swap space, by the kernel's own account."""


def swapped_pages(vmstat: str) -> int | None:
    """Add up both in the text of ``/proc/vmstat`` (proc(5)); ``None`` if it has neither."""
    counters = dict(line.split() for line in vmstat.splitlines())
    pages = [int(counters[name]) for name in ("pswpin", "pswpout") if name in counters]
    return sum(pages) if pages else None
