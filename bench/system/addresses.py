"""Tell by its addresses whether a host is this machine's loopback interface."""

import socket
from ipaddress import IPv6Address, ip_address


def find_remote_address(host: str, port: int) -> str | None:
    """Return the first address of a host that is no loopback address, or None if there is none.

    An address of one of this machine's own network interfaces is remote, too: it may be reached by others.

    Raises:
        OSError: the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(place[0]) for *_, place in found)
    return next((address for address in addresses if not is_loopback(address)), None)


def is_loopback(text: str) -> bool:
    """Tell whether an IP address leads nowhere else than to this machine; it may have a zone."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
