"""The outcome of an error, the same for all libraries."""

import asyncio
import errno
import http.client
import ssl
from asyncio import IncompleteReadError

import aiohttp
import h2.exceptions
import httpcore
import httpx
import pycurl
import pyqwest
import pyreqwest.exceptions
import pytest
import requests
import urllib3
import wreq
from aiosonic.exceptions import ConnectionDisconnected, HttpParsingError
from curl_cffi import CurlError
from curl_cffi.requests.exceptions import IncompleteRead
from h2.events import ConnectionTerminated, StreamReset
from h2.exceptions import InvalidBodyLengthError

from bench.api import TooLargeError
from bench.api.error_outcomes import outcome_of_error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (OSError(errno.EMFILE, "Too many open files"), "local_resource"),
        (OSError(errno.ENFILE, "Too many open files in system"), "local_resource"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "local_resource"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "local_resource"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "local_resource"),
        (OSError(errno.ENOSPC, "No space left on device"), "local_resource"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "local_resource"),
        (OSError(errno.EIO, "Input/output error"), "local_resource"),
        (OSError(errno.EROFS, "Read-only file system"), "local_resource"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "error"),
        (ValueError("anything"), "error"),
        (ConnectionResetError("Remote end closed connection without response"), "disconnected"),
        (ConnectionResetError("Cannot write to closing transport"), "reset"),
        (urllib3.exceptions.ProtocolError("Stream 3 was reset by remote peer. Reason: 0x2."), "reset"),
        (
            urllib3.exceptions.ProtocolError("InvalidBodyLengthError: Expected 10 bytes, received 9"),
            "truncated",
        ),
        (
            urllib3.exceptions.ProtocolError("InvalidBodyLengthError: Expected 10 bytes, received 11"),
            "protocol",
        ),
        (urllib3.exceptions.ProtocolError("InvalidBodyLengthError: in other words"), "protocol"),
    ],
)
def test_wrapped_error_has_the_same_outcome(error: Exception, outcome: str) -> None:
    """Raised from, raised while, passed as an argument, kept as a reason, or in a group."""
    reasoned = RuntimeError("gave up")
    reasoned.reason = error  # type: ignore[attr-defined]
    wrapped = [
        error,
        raised_from(error),
        raised_while(error),
        RuntimeError("twice", RuntimeError(error)),
        reasoned,
        ExceptionGroup("all addresses failed", [error, ValueError("another")]),
    ]
    assert [outcome_of_error(each) for each in wrapped] == [outcome] * len(wrapped)


def test_unknown_error_named_timeout_is_a_timeout() -> None:
    """The time-out errors of urllib3 and httpx have no common base class."""

    class ReadTimeout(Exception):  # noqa: N818  as httpx calls it
        pass

    assert outcome_of_error(RuntimeError(ReadTimeout())) == "timeout"


def test_outermost_known_error_decides() -> None:
    error = TimeoutError()
    error.__cause__ = ConnectionResetError()
    assert outcome_of_error(RuntimeError(error)) == "timeout"


def caused_by(error: Exception, cause: Exception) -> Exception:
    """Return an error with a cause."""
    error.__cause__ = cause
    return error


def pyreqwest_error(*causes: str) -> Exception:
    """Return an error as pyreqwest raises it, with its causes as words among its arguments."""
    return pyreqwest.exceptions.DecodeError("…", {"causes": [{"message": cause} for cause in causes]})


SHORT, LONG = InvalidBodyLengthError(10, 9), InvalidBodyLengthError(10, 11)
GOAWAY = httpcore.RemoteProtocolError(ConnectionTerminated())
STREAM_RESET = httpcore.RemoteProtocolError(StreamReset(stream_id=1))
REMOTE_DISCONNECTED = http.client.RemoteDisconnected("Remote end closed connection without response")
REFUSED = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("x"), "…")
CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed: certificate has expired")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TooLargeError(), "too_large"),
        (REMOTE_DISCONNECTED, "disconnected"),
        (urllib3.exceptions.ProtocolError("Connection aborted.", REMOTE_DISCONNECTED), "disconnected"),
        (caused_by(REFUSED, ConnectionRefusedError()), "refused"),
        (urllib3.exceptions.ProtocolError("aborted", ConnectionResetError()), "reset"),
        (urllib3.exceptions.ProtocolError("Response ended prematurely"), "truncated"),
        (urllib3.exceptions.IncompleteRead(1, 2), "truncated"),
        (http.client.IncompleteRead(b"x", 2), "truncated"),
        (http.client.BadStatusLine("x"), "protocol"),
        (http.client.LineTooLong("header line"), "protocol"),
        (http.client.HTTPException("got more than 100 headers"), "protocol"),
        (asyncio.IncompleteReadError(b"", None), "disconnected"),
        (asyncio.IncompleteReadError(b"HTTP/1.1", None), "truncated"),
        (asyncio.IncompleteReadError(b"", 5), "truncated"),
        (asyncio.LimitOverrunError("Separator is not found, and chunk exceed the limit", 65536), "protocol"),
        (caused_by(ConnectionRefusedError(), pycurl.error(7, "Could not connect to server")), "refused"),
        (caused_by(OSError(errno.EHOSTUNREACH, "No route"), pycurl.error(7, "Could not connect")), "error"),
        (caused_by(OSError(errno.EMFILE, "Too many open files"), pycurl.error(7, "…")), "local_resource"),
        (pycurl.error(8, "Invalid status line"), "protocol"),
        (pycurl.error(18, "end of response with 100 bytes missing"), "truncated"),
        (pycurl.error(28, "Operation timed out"), "timeout"),
        (pycurl.error(35, "SSL connect error"), "tls"),
        (pycurl.error(52, "Empty reply from server"), "disconnected"),
        (
            pycurl.error(56, "SSL_read: error:0A000126:SSL routines::unexpected eof while reading"),
            "truncated",
        ),
        (pycurl.error(60, "SSL: no alternative certificate subject name matches"), "tls"),
        (pycurl.error(63, "Maximum file size exceeded"), "too_large"),
        (pycurl.error(92, "HTTP/2 stream 3 reset by server (error 0x2 INTERNAL_ERROR)"), "reset"),
        (
            pycurl.error(92, "received invalid frame, error -532: Violation in HTTP messaging rule"),
            "truncated",
        ),
        (pycurl.error(92, "received invalid frame, error -505: Protocol error"), "protocol"),
        (pycurl.error(3, "URL using bad/illegal format"), "error"),
        (urllib3.exceptions.InvalidHeader("Content-Length"), "protocol"),
        (urllib3.exceptions.SSLError(CERTIFICATE), "tls"),
        (requests.exceptions.SSLError(urllib3.exceptions.SSLError(CERTIFICATE)), "tls"),
        (requests.exceptions.SSLError(ssl.SSLEOFError(8, "EOF occurred")), "disconnected"),
        (requests.exceptions.SSLError(ConnectionResetError()), "reset"),
        (requests.exceptions.ReadTimeout(), "timeout"),
        (requests.exceptions.TooManyRedirects(), "redirect"),
        (aiohttp.ServerDisconnectedError(), "disconnected"),
        (aiohttp.ClientPayloadError("Response payload is not completed"), "truncated"),
        (caused_by(aiohttp.ClientPayloadError(), ConnectionResetError()), "reset"),
        (aiohttp.ClientPayloadError("<… 'Not enough data'>. ConnectionResetError(104, '…')"), "reset"),
        (aiohttp.http_exceptions.BadStatusLine("x"), "protocol"),
        (aiohttp.http_exceptions.LineTooLong("x"), "protocol"),
        (aiohttp.http_exceptions.TransferEncodingError("Not enough data to satisfy …"), "truncated"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "disconnected"),
        (
            httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
            "truncated",
        ),
        (httpx.RemoteProtocolError("illegal status line"), "protocol"),
        (httpx.LocalProtocolError("…"), "protocol"),
        (httpx.ReadTimeout("…"), "timeout"),
        (httpx.PoolTimeout("…"), "timeout"),
        (caused_by(httpx.ReadError("…"), ConnectionResetError()), "reset"),
        (caused_by(httpx.ConnectError("…"), CERTIFICATE), "tls"),
        (GOAWAY, "disconnected"),
        (caused_by(httpx.RemoteProtocolError(str(GOAWAY)), GOAWAY), "disconnected"),
        (STREAM_RESET, "reset"),
        (SHORT, "truncated"),
        (LONG, "protocol"),
        (httpcore.LocalProtocolError(SHORT), "truncated"),
        (caused_by(httpx.LocalProtocolError("…"), httpcore.LocalProtocolError(LONG)), "protocol"),
        (h2.exceptions.ProtocolError("…"), "protocol"),
        (caused_by(ConnectionDisconnected(), IncompleteReadError(b"", None)), "disconnected"),
        (caused_by(ConnectionDisconnected(), ConnectionResetError()), "reset"),
        (ConnectionDisconnected(), "truncated"),
        (IncompleteReadError(b"half of a ch", 24), "truncated"),
        (IncompleteReadError(b"", 24), "truncated"),
        (HttpParsingError("unparseable status line"), "protocol"),
        (CurlError("… curl: (7) failed to open socket: Too many open files. See …"), "local_resource"),
        (CurlError("… curl: (52) Empty reply from server. See …"), "disconnected"),
        (CurlError("… curl: (56) Connection closed abruptly. See …"), "disconnected"),
        (caused_by(IncompleteRead("…"), CurlError("… curl: (56) Connection closed abruptly.")), "truncated"),
        (IncompleteRead("… curl: (18) end of response with 100 bytes missing. See …"), "truncated"),
        (CurlError("… curl: (8) Invalid Content-Length: value. See …"), "protocol"),
        (CurlError("Failed to perform, curl: (1) Received HTTP/0.9 when not allowed. See …"), "protocol"),
        (CurlError("… curl: (100) A value or data field grew larger than allowed. See …"), "protocol"),
        (CurlError("… curl: (63) Maximum file size exceeded. See …"), "too_large"),
        (wreq.exceptions.ConnectionError("… Os { code: 111, kind: ConnectionRefused, … }"), "refused"),
        (wreq.exceptions.ConnectionError("… Os { code: 24, kind: Uncategorized, … }"), "local_resource"),
        (wreq.exceptions.ConnectionError('… reason: "CERTIFICATE_VERIFY_FAILED", …'), "tls"),
        (wreq.exceptions.ConnectionResetError("is_connection_reset error: …"), "reset"),
        (
            wreq.exceptions.DecodingError("… Custom { kind: UnexpectedEof, error: IncompleteBody } …"),
            "truncated",
        ),
        (wreq.exceptions.RequestError("… netty::Error(IncompleteMessage) …"), "disconnected"),
        (wreq.exceptions.RequestError("… netty::Error(Parse(TooLarge)) …"), "protocol"),
        (
            ConnectionError("Request failed: … tcp connect error: Connection refused (os error 111)"),
            "refused",
        ),
        (ConnectionError("Request failed: … invalid peer certificate: UnknownIssuer"), "tls"),
        (pyqwest.ReadError("… error reading a body from connection: … (os error 104)"), "reset"),
        (pyqwest.ReadError("… connection: end of file before message length reached"), "truncated"),
        (
            pyqwest.ReadError(
                "… error reading a body from connection: peer … without sending TLS close_notify"
            ),
            "truncated",
        ),
        (
            pyqwest.WriteError("… connection error: peer closed connection without sending TLS close_notify"),
            "disconnected",
        ),
        (pyqwest.WriteError("… connection closed before message completed"), "disconnected"),
        (pyreqwest_error("client error (SendRequest)", "invalid content-length parsed"), "protocol"),
        (pyreqwest_error("client error (SendRequest)", "invalid HTTP version parsed"), "protocol"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_error_of_a_library_has_a_common_outcome(error: Exception, outcome: str) -> None:
    assert outcome_of_error(error) == outcome


def test_number_quoted_without_a_number_is_no_error_of_the_system() -> None:
    assert outcome_of_error(ValueError("(os error unknown) and Os { code: none }")) == "error"


def test_errno_of_a_tls_error_is_not_one_of_the_system() -> None:
    """Five is a lost connection for OpenSSL, and an I/O error for the system."""
    assert ssl.SSL_ERROR_SYSCALL == errno.EIO
    error = ssl.SSLSyscallError(ssl.SSL_ERROR_SYSCALL, "Some I/O error occurred")
    assert outcome_of_error(RuntimeError(error)) == "disconnected"


def test_exception_handled_before_is_not_a_cause() -> None:
    handled = ConnectionResetError()
    error = raised_while(handled)
    assert outcome_of_error(error) == "reset"
    assert outcome_of_error(error, handled) == "error"


def test_circular_causes_are_visited_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert outcome_of_error(first) == "error"


def raised_from(error: Exception) -> Exception:
    """Return an error with the other as its cause."""
    wrapper = RuntimeError("wrapped")
    wrapper.__cause__ = error
    return wrapper


def raised_while(error: Exception) -> Exception:
    """Return an error with the other as its context."""
    wrapper = RuntimeError("while handling")
    wrapper.__context__ = error
    return wrapper
