"""Serve a tiny JSON after 8 ms with ``http.server``: the kind of server that a published comparison used.

``python threading_server.py PORT QUEUE``; QUEUE is the number of connections that may wait to be accepted,
which is five if a program says nothing else.
"""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b'{"ok": true}'


class Handler(BaseHTTPRequestHandler):
    """Answers every path alike."""

    def do_GET(self) -> None:
        """Wait, and answer."""
        time.sleep(0.008)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    """The server, whose queue has the length asked for."""

    request_queue_size = int(sys.argv[2])


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
