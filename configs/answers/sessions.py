"""Functions that download one URL: with a session for all threads, one for each thread, or none."""

import threading

import httpx
import requests
from requests.adapters import HTTPAdapter

WORKERS = 20
OF_THREAD = threading.local()


def new_session() -> requests.Session:
    """Return a session that keeps as many connections as there are threads."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=WORKERS))
    return session


SHARED = new_session()
CLIENT = httpx.Client()


def get_with_shared(url: str) -> bytes:
    """Download with one session of requests for all threads."""
    return SHARED.get(url, timeout=10).content


def get_with_own(url: str) -> bytes:
    """Download with a session of requests for each thread."""
    session: requests.Session | None = getattr(OF_THREAD, "session", None)
    if session is None:
        session = OF_THREAD.session = new_session()
    return session.get(url, timeout=10).content


def get_without(url: str) -> bytes:
    """Download with requests and no session."""
    return requests.get(url, timeout=10).content


def httpx_with_shared(url: str) -> bytes:
    """Download with one client of httpx for all threads."""
    return CLIENT.get(url).content


def httpx_without(url: str) -> bytes:
    """Download with httpx and no client."""
    return httpx.get(url).content
