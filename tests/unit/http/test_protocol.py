"""The transport, with raw bytes over real sockets."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from bps.http.limits import Limits
from bps.http.protocol import MAX_PIPELINED
from bps.http.wire import LINGER_S
from tests.asynchronous import eventually
from tests.unit.http.sockets import GET, connected, listening, on_uvloop

FAST = Limits(
    header_deadline_s=0.3, body_deadline_s=0.3, idle_s=0.4, write_stall_s=0.5, max_connections=2
)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was asked: the path, how many body bytes, and its headers."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    names = sorted(name.decode() for name, _ in scope["headers"])
    body = json.dumps({"path": scope["path"], "size": size, "headers": names}).encode()
    length = str(len(body)).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    )
    await send({"type": "http.response.body", "body": body})


async def early(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading the body."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"no"})


class Flood:
    """Sends without end, until the client is gone."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.sent = 0

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(self._gone(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            self.sent += 65_536
            await asyncio.sleep(0)
        self.ended.set()

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


@on_uvloop
async def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    async with listening(echo) as server, connected(server) as raw:
        await raw.send(GET + GET.replace(b"/a", b"/b"))
        first, second = await raw.answer(), await raw.answer()
    assert [json.loads(body)["path"] for _, _, body in (first, second)] == ["/a", "/b"]
    assert "server" not in first[1]
    assert "date" in first[1]


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=lambda sent: ascii(sent)[:60],
)
def test_what_two_readers_could_read_differently_is_one_problem_and_the_end(sent: bytes) -> None:
    @on_uvloop
    async def body() -> None:
        async with listening(echo) as server, connected(server) as raw:
            await raw.send(sent)
            problem = await raw.problem()
            assert problem["code"] == "REQUEST_ERROR"
            assert await raw.rest() == b""

    body()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000,
        b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 64 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X" * 20_000 + b": a\r\n\r\n",
    ],
    ids=["header", "endless header", "url", "many headers", "header name"],
)
def test_a_giant_head_is_refused(sent: bytes) -> None:
    @on_uvloop
    async def body() -> None:
        async with listening(echo) as server, connected(server) as raw:
            await raw.send(sent)
            assert (await raw.problem())["code"] == "REQUEST_TOO_LARGE"
            assert await raw.rest() == b""

    body()


@on_uvloop
async def test_trailers_do_not_become_headers() -> None:
    sent = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\nAuthorization: Bearer late\r\n\r\n"
    )
    async with listening(echo) as server, connected(server) as raw:
        await raw.send(sent)
        _, _, body = await raw.answer()
    assert json.loads(body) == {
        "path": "/",
        "size": 3,
        "headers": ["host", "transfer-encoding"],
    }


@on_uvloop
async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    async with listening(echo) as server, connected(server) as raw:
        await raw.send(GET + b"nonsense\r\n\r\n")
        assert (await raw.answer())[0] == 200
        assert (await raw.problem())["code"] == "REQUEST_ERROR"


@on_uvloop
async def test_requests_sent_ahead_are_bounded() -> None:
    async with listening(echo) as server, connected(server) as raw:
        await raw.send(GET * (MAX_PIPELINED + 50))
        answers = [(await raw.answer())[0] for _ in range(MAX_PIPELINED + 1)]
        assert set(answers) == {200}
        assert (await raw.problem())["code"] == "REQUEST_ERROR"


@on_uvloop
async def test_slow_headers_end_in_a_problem_in_time() -> None:
    async with listening(echo, FAST) as server, connected(server) as raw:
        begun_s = time.monotonic()
        for byte in b"GET /a HT":
            await raw.send(bytes([byte]))
        assert (await raw.problem())["code"] == "REQUEST_TIMED_OUT"
        assert time.monotonic() - begun_s < 2


@on_uvloop
async def test_an_idle_connection_is_closed() -> None:
    async with listening(echo, FAST) as server, connected(server) as raw:
        await raw.send(GET)
        assert (await raw.answer())[0] == 200
        assert await raw.rest() == b""


@on_uvloop
async def test_a_connection_that_never_sends_is_closed() -> None:
    async with listening(echo, FAST) as server, connected(server) as raw:
        assert await raw.rest() == b""


@on_uvloop
async def test_one_connection_too_many_gets_a_problem_with_retry_after() -> None:
    go = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await echo(scope, receive, send)

    async with listening(slow, FAST) as server, connected(server) as one, connected(server) as two:
        await one.send(GET)
        await two.send(GET)

        async def both_are_served() -> bool:
            return all(each.idle_since_s is None for each in server._connections())

        await eventually(both_are_served, "two requests are served")
        async with connected(server) as three:
            status, headers, body = await three.answer()
            assert status == 503
            assert json.loads(body)["code"] == "TOO_MANY_CONNECTIONS"
            assert headers["retry-after"] == "2"
        go.set()
        assert (await one.answer())[0] == (await two.answer())[0] == 200


@on_uvloop
async def test_the_connection_that_is_idle_longest_makes_room_for_a_new_one() -> None:
    async with listening(echo, FAST) as server, connected(server) as one, connected(server) as two:
        await one.send(GET)
        assert (await one.answer())[0] == 200
        loop = asyncio.get_running_loop()
        answered_s = loop.time()

        async def clock_moved() -> bool:
            return loop.time() > answered_s

        await eventually(clock_moved, "the loop's clock, which counts milliseconds, moves")
        await two.send(GET)
        assert (await two.answer())[0] == 200
        async with connected(server) as three:
            await three.send(GET)
            assert (await three.answer())[0] == 200
            with pytest.raises((ConnectionError, EOFError)):
                await one.answer()
            await two.send(GET)
            assert (await two.answer())[0] == 200


@on_uvloop
async def test_who_is_refused_before_the_body_is_read_gets_the_answer_and_no_further_request() -> (
    None
):
    async with listening(early) as server, connected(server) as raw:
        await raw.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        await raw.send(b"x" * 65_536)
        status, headers, body = await raw.answer()
        assert (status, headers["connection"], body) == (401, "close", b"no")
        assert await raw.rest() == b""


@on_uvloop
async def test_a_client_that_never_reads_is_cut_off_and_costs_bounded_memory() -> None:
    flood = Flood()
    async with listening(flood, FAST) as server, connected(server) as raw:
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await raw.send(GET)
        async with asyncio.timeout(5):
            await flood.ended.wait()
        assert flood.sent < 32 * 2**20


@on_uvloop
async def test_the_kernel_keeps_little_for_a_client_that_never_reads() -> None:
    flood = Flood()
    async with listening(flood, FAST) as server:
        with socket.socket() as mine:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            mine.connect(("127.0.0.1", urlsplit(server.url).port))
            mine.sendall(GET)
            async with asyncio.timeout(5):
                await flood.ended.wait()
    assert flood.sent < 2**20, "600 of them would take gigabytes"


@on_uvloop
async def test_an_answer_that_fits_the_buffers_does_not_keep_who_never_reads() -> None:
    async with listening(echo, FAST) as server, connected(server) as raw:
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await raw.send(GET)

        async def none_open() -> bool:
            return server.connections == 0

        await eventually(none_open, "the connection is gone", deadline_s=3 + LINGER_S)


@on_uvloop
async def test_a_reset_in_the_middle_of_a_body_ends_the_request() -> None:
    flood = Flood()
    async with listening(flood) as server, connected(server) as raw:
        await raw.send(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        await raw.reader.readexactly(10)
        raw.writer.transport.abort()
        async with asyncio.timeout(2):
            await flood.ended.wait()


@on_uvloop
async def test_a_drain_waits_for_the_answer_and_takes_no_new_connection() -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await go.wait()
        await echo(scope, receive, send)

    async with listening(slow) as server, connected(server) as raw:
        await raw.send(GET)
        await asked.wait()
        draining = asyncio.create_task(server.drain(3))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            async with connected(server):
                pass
        go.set()
        status, headers, _ = await raw.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await draining


@on_uvloop
async def test_a_drain_does_not_wait_for_who_never_reads() -> None:
    flood = Flood()
    async with listening(flood) as server, connected(server) as raw:
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await raw.send(GET)

        async def flooding() -> bool:
            return flood.sent > 0

        await eventually(flooding, "the answer has begun")
        assert not await server.drain(0.2)


PIECES = [
    *(b"GET ", b"POST ", b"/a", b"/%zz", b"*", b"http://h/a", b" HTTP/1.1", b" HTTP/1.0"),
    *(b"\r\n", b"\n", b"\r", b"\x00", b"Host: x\r\n", b"Content-Length: 3\r\n", b": ", b"\xff"),
    *(b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\r\n\r\n", GET),
    *(b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Upgrade: x\r\n", b" "),
]


@on_uvloop
async def test_whatever_bytes_come_nothing_breaks(caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(7)
    async with listening(echo, FAST) as server:
        for _ in range(300):
            async with connected(server) as raw:
                for _ in range(dice.randint(1, 3)):
                    await raw.send(b"".join(dice.choices(PIECES, k=dice.randint(1, 12))))
                    await asyncio.sleep(0)
                raw.writer.write_eof()
                seen = await raw.rest()
                assert seen == b"" or seen.startswith(b"HTTP/1.1 ")
                assert b"HTTP/1.1 500" not in seen
        async with connected(server) as raw:
            await raw.send(GET)
            assert (await raw.answer())[0] == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
