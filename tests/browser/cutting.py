"""A bad line: a proxy before the server that breaks connections off in the middle of an image."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class BadLine(ThreadingHTTPServer):
    """Forwards to `port`, and cuts the next `n_cuts` images off half-way."""

    daemon_threads = True

    def __init__(self, port: int, n_cuts: int) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.port = port
        self.n_cuts = n_cuts
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_address[1]}"

    def cuts_next(self) -> bool:
        with self.lock:
            self.n_cuts -= 1
            return self.n_cuts >= 0


class Forward(BaseHTTPRequestHandler):
    server: BadLine

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection("localhost", self.server.port, timeout=60)
        upstream.request(self.command, self.path, body, dict(self.headers))
        with upstream.getresponse() as answer:
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
        upstream.close()
        # The headers promise the whole image.
        cut = "/image/" in self.path and self.server.cuts_next()
        self.wfile.write(content[: len(content) // 2] if cut else content)

    do_GET = do_POST = forward  # noqa: N815 (the names that http.server calls)

    def log_message(self, *_: object) -> None:
        """Nothing: the server keeps a log."""


@contextmanager
def bad_line(port: int, n_cuts: int) -> Iterator[BadLine]:
    line = BadLine(port, n_cuts)
    thread = threading.Thread(target=line.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield line
    finally:
        line.shutdown()
        thread.join()
        line.server_close()
