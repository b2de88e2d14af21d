"""An HTTP/1.1 client that costs next to nothing, because it shares its cores with the servers.

One `Connection` is one keep-alive connection with one request on its way at a time; `Browser` is
what one participant's browser holds: a connection, cookies, and the page that it shows.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60
REDIRECTS = {301, 302, 303, 307, 308}
MAX_REDIRECTS = 5
END_OF_HEAD, END_OF_LINE = b"\r\n\r\n", b"\r\n"


class ProtocolError(Exception):
    """The server sent what is not HTTP, or hung up in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: its status, its head as lower-case header lines, and its body."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header called `name` (lower case), in the case it came in."""
        return next(self.headers(name), None)

    def headers(self, name: bytes) -> Iterator[bytes]:
        for line in self.head.split(END_OF_LINE)[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                yield value.strip()


def parse_chunks(buffer: bytes, start: int) -> tuple[bytes, int] | None:
    """The body in chunks that begins at `start` and where it ends; None where more is to come."""
    parts = []
    while True:
        line_end = buffer.find(END_OF_LINE, start)
        if line_end < 0:
            return None
        size = int(buffer[start:line_end].partition(b";")[0], 16)
        begin = line_end + 2
        if size == 0:
            # Trailers, if any, are lines before the empty one.
            end = buffer.find(END_OF_LINE, begin)
            while end > begin:
                begin = end + 2
                end = buffer.find(END_OF_LINE, begin)
            return None if end < 0 else (b"".join(parts), end + 2)
        if len(buffer) < begin + size + 2:
            return None
        parts.append(buffer[begin : begin + size])
        start = begin + size + 2


def parse_response(buffer: bytes) -> tuple[Response, int] | None:
    """The first whole answer in `buffer` and its length in bytes; None where more is to come.

    ProtocolError where it is not HTTP/1.1 with a length or in chunks.
    """
    head_end = buffer.find(END_OF_HEAD)
    if head_end < 0:
        return None
    head = bytes(buffer[:head_end])
    if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
        raise ProtocolError(f"not an HTTP/1.1 answer: {head[:60]!r}")
    status, start = int(head[9:12]), head_end + 4
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        line_end = lower.find(END_OF_LINE, at + 17)
        length = int(lower[at + 17 : line_end if line_end >= 0 else None])
        if len(buffer) < start + length:
            return None
        return Response(status, head, bytes(buffer[start : start + length])), start + length
    if b"\r\ntransfer-encoding: chunked" in lower:
        chunks = parse_chunks(buffer, start)
        return chunks and (Response(status, head, chunks[0]), chunks[1])
    if status in {204, 304}:
        return Response(status, head, b""), start
    raise ProtocolError(f"an answer without a length: {head!r}")


class Connection(asyncio.Protocol):
    """One connection to a server on this machine; opened when it is needed, and again if closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[Response] | None = None
        self.buffer = b""

    async def send(self, request: bytes) -> Response:
        """Send a whole request; its answer. ProtocolError, OSError or TimeoutError without one.

        As in browsers, a request on a connection that the server had closed by then, before it
        answered anything, is sent once more on a new one.
        """
        if self.transport is not None and not self.transport.is_closing():
            try:
                return await self.exchange(request)
            except ConnectionResetError:
                if self.buffer:
                    raise
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        return await self.exchange(request)

    async def exchange(self, request: bytes) -> Response:
        loop = asyncio.get_running_loop()
        self.waiting = waiting = loop.create_future()
        timer = loop.call_later(TIMEOUT_S, self.give_up)
        assert self.transport is not None
        self.transport.write(request)
        try:
            return await waiting
        finally:
            timer.cancel()

    def give_up(self) -> None:
        self.fail(TimeoutError(f"no answer within {TIMEOUT_S} s"))
        self.close()

    def fail(self, error: Exception) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        try:
            parsed = parse_response(self.buffer)
        except (ProtocolError, ValueError) as error:
            self.fail(ProtocolError(str(error)))
            self.close()
            return
        if parsed is not None:
            response, length = parsed
            self.buffer = self.buffer[length:]
            if self.waiting is not None and not self.waiting.done():
                self.waiting.set_result(response)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if not isinstance(error, ConnectionResetError):
            error = ConnectionResetError("the server closed the connection")
        self.fail(error)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()
            self.transport = None


def take_cookies(jar: dict[str, str], response: Response) -> None:
    """Keep what the answer sets. One site and one study: paths and domains are not looked at."""
    for line in response.headers(b"set-cookie"):
        pair, *attributes = line.decode("latin-1").split(";")
        name, _, value = pair.partition("=")
        if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
            jar.pop(name.strip(), None)
        else:
            jar[name.strip()] = value.strip()


class Browser:
    """One participant's browser: cookies, and the page that it shows, reached at `path`.

    `script` is whatever the page's script keeps.
    """

    __slots__ = ("connection", "cookies", "page", "path", "script", "status")

    def __init__(self, port: int) -> None:
        self.connection = Connection(port)
        self.cookies: dict[str, str] = {}
        self.path, self.status, self.page = "/", 0, b""
        self.script: Any = None

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self.connection.close()

    async def ask(
        self,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/x-www-form-urlencoded",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request, a POST where it has a body; its answer as it comes, not followed."""
        lines = [
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.connection.port}",
        ]
        if self.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            lines.append(f"Cookie: {pairs}")
        if body is not None:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        request = "\r\n".join(lines).encode("latin-1") + END_OF_HEAD + (body or b"")
        response = await self.connection.send(request)
        if b"et-cookie:" in response.head:
            take_cookies(self.cookies, response)
        return response

    async def follow(self, response: Response, path: str) -> None:
        """Show the page that `response`, the answer for `path`, leads to."""
        for _ in range(MAX_REDIRECTS):
            if response.status not in REDIRECTS:
                self.path, self.status, self.page = path, response.status, response.body
                return
            location = urlsplit((response.header(b"location") or b"").decode("latin-1"))
            path = location.path + (f"?{location.query}" if location.query else "")
            response = await self.ask(path)
        raise ProtocolError(f"more than {MAX_REDIRECTS} redirects, the last to {path}")

    async def open(self, path: str) -> None:
        await self.follow(await self.ask(path), path)
