"""The load benchmark's player reads what servers send, however the network cuts it."""

import asyncio
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.load.measures import Played, percentile
from tests.benchmarks.load.pages import Form, hidden_fields
from tests.benchmarks.load.player import (
    Browser,
    Connection,
    ProtocolError,
    Response,
    parse_response,
    take_cookies,
)

bodies = st.binary(max_size=300)
statuses = st.sampled_from([200, 303, 404, 422, 500])


def with_length(status, body):
    head = f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\nX-Other: 1"
    return head.encode() + b"\r\n\r\n" + body


@st.composite
def in_chunks(draw, status, body):
    cuts = sorted(draw(st.sets(st.integers(1, max(len(body), 1) - 1 or 1), max_size=4)))
    edges = [0, *(cut for cut in cuts if cut < len(body)), len(body)]
    parts = [body[a:b] for a, b in pairwise(edges) if b > a]
    trailer = draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"]))
    encoded = b"".join(b"%x;extension\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 %d Word\r\ntransfer-encoding: Chunked\r\n\r\n" % status
    return head + encoded + b"0\r\n" + trailer + b"\r\n"


@st.composite
def answers(draw):
    """The bytes of an answer, and what it says."""
    status, body = draw(statuses), draw(bodies)
    raw = with_length(status, body) if draw(st.booleans()) else draw(in_chunks(status, body))
    return raw, (status, body)


class Arriving(Connection):
    """A connection whose answers are counted instead of awaited."""

    def __init__(self):
        super().__init__(0)
        self.read = []

    def feed(self, data):
        self.waiting = asyncio.Future(loop=self.loop)
        self.data_received(data)
        if self.waiting.done():
            self.read.append(self.waiting.result())


@given(answers(), st.data())
def test_an_answer_is_read_the_same_however_it_is_cut(answer, data):
    raw, said = answer
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=5)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    connection = Arriving()
    connection.loop = asyncio.new_event_loop()
    try:
        for piece in pieces:
            connection.feed(piece)
    finally:
        connection.loop.close()
    assert [(each.status, each.body) for each in connection.read] == [said]
    assert connection.buffer == b""


@given(answers(), st.data())
def test_no_beginning_of_an_answer_is_taken_for_all_of_it(answer, data):
    raw, _ = answer
    assert parse_response(raw[: data.draw(st.integers(0, len(raw) - 1))]) is None


@given(answers(), st.binary(max_size=50))
def test_what_comes_after_an_answer_is_left_alone(answer, rest):
    raw, said = answer
    response, length = parse_response(raw + rest)
    assert (response.status, response.body, length) == (*said, len(raw))


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-server\r\n\r\n", b"HTTP/1.1 abc No\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_what_is_no_answer_with_an_end_is_refused(raw):
    with pytest.raises(ProtocolError):
        parse_response(raw)


def test_cookies_are_kept_until_they_are_deleted():
    jar = {}
    take_cookies(
        jar, Response(200, b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nSet-Cookie: b=2=", b"")
    )
    assert jar == {"a": "1", "b": "2="}
    take_cookies(jar, Response(200, b"HTTP/1.1 200 OK\r\nSet-Cookie: a=; Max-Age=0", b""))
    assert jar == {"b": "2="}


PAGE = b"""<form method="get"><input name="search"></form>
<form method="post" action="/next/"><input value="a&amp;b" name="token" type="hidden">
<input type="hidden" name="empty"><input type="text" name="age" required><input name="note">
<input type="checkbox" name="agree" required><input type="checkbox" name="news">
<input type="radio" name="sex" value="f"><input type="radio" name="sex" value="m">
<select name="land"><option value="">Choose</option><option value="x">X</option></select>
<button name="go" value="yes">Yes</button><button name="go" value="no">No</button></form>
<a class="button quiet" href="/elsewhere/">Elsewhere</a>"""


def test_the_first_form_that_is_posted_is_filled_in_as_somebody_who_agrees_would():
    form = Form(PAGE)
    assert (form.found, form.action, form.buttons) == (True, "/next/", ["/elsewhere/"])
    assert form.fields == {
        "token": "a&b",
        "empty": "",
        "age": "1",
        "note": "",
        "agree": "on",
        "sex": "f",
        "land": "x",
        "go": "yes",
    }


def test_hidden_fields_are_found_wherever_their_attributes_stand():
    assert hidden_fields(PAGE) == {"token": "a&b", "empty": ""}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(1e-9, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, q):
    found = percentile(values, q)
    share = q / 100 * len(values)
    assert found in values
    assert sum(value <= found for value in values) >= share
    assert sum(value < found for value in values) < share


def test_no_values_have_no_percentile():
    assert math.isnan(percentile([], 95))


def test_only_answers_inside_the_measured_time_are_measured():
    run = Played(started=1.0, ended=2.0, acknowledged=[0.9, 1.5, 2.1], latencies=[1.0, 2.0, 3.0])
    assert run.measured == [2.0]
    assert run.figures()["per_second"] == 1.0
    assert run.figures()["p50_ms"] == 2_000


def test_a_browser_asks_again_where_the_server_had_closed_the_connection():
    async def served(reader, writer):
        # Answers one request and hangs up, as servers do with connections that are idle.
        await reader.readuntil(b"\r\n\r\n")
        writer.write(with_length(200, b"page"))
        await writer.drain()
        writer.close()

    async def asks_twice():
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        browser = Browser(server.sockets[0].getsockname()[1])
        async with server:
            await browser.open("/first")
            await browser.open("/second")
            browser.close()
        return browser.path, browser.page

    assert asyncio.run(asks_twice()) == ("/second", b"page")
