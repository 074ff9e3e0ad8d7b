"""Download flags with threads: with one session or client for all, for each thread, or for each request.

Whatever is opened, is opened and closed in the call that is timed.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests
import urllib3
from requests.adapters import HTTPAdapter

DEST_DIR = Path("downloaded")


def one_for_all(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Share one session of requests between all threads."""
    with new_session(concur_req) as session:
        return download(cc_list, base_url, concur_req, lambda url: session.get(url, timeout=10).content)


def one_for_each(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Open a session of requests for each thread."""
    of_thread = threading.local()
    with ExitStack() as sessions:

        def get(url: str) -> bytes:
            session: requests.Session | None = getattr(of_thread, "session", None)
            if session is None:
                session = of_thread.session = sessions.enter_context(new_session(1))
            return session.get(url, timeout=10).content

        return download(cc_list, base_url, concur_req, get)


def one_per_request(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Call ``requests.get``, which opens a session each time."""
    return download(cc_list, base_url, concur_req, lambda url: requests.get(url, timeout=10).content)


def httpx_for_all(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Share one client of httpx between all threads."""
    import httpx  # the others do without it

    with httpx.Client() as client:
        return download(cc_list, base_url, concur_req, lambda url: client.get(url).content)


def httpx_per_request(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Call ``httpx.get``, which opens a client each time."""
    import httpx

    return download(cc_list, base_url, concur_req, lambda url: httpx.get(url).content)


def pool_of_urllib3(cc_list: Sequence[str], base_url: str, concur_req: int) -> int:
    """Share a pool of urllib3 between all threads."""
    with urllib3.PoolManager(maxsize=concur_req) as pool:
        return download(cc_list, base_url, concur_req, lambda url: pool.request("GET", url, timeout=10).data)


def new_session(connections: int) -> requests.Session:
    """Return a session that keeps so many connections."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=connections))
    return session


def download(cc_list: Sequence[str], base_url: str, concur_req: int, get: Callable[[str], bytes]) -> int:
    """Download and save all flags with a pool of threads."""
    DEST_DIR.mkdir(exist_ok=True)

    def download_one(cc: str) -> None:
        name = f"{cc.lower()}.gif"
        (DEST_DIR / name).write_bytes(get(f"{base_url}/{cc.lower()}/{name}"))

    with ThreadPoolExecutor(concur_req) as executor:
        return len(list(executor.map(download_one, cc_list)))
