"""Over the gateway too, a write without an answer is never sent again, nor reported as failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.core.errors import OutcomeUnknown, StoreError, StoreRefused, Unavailable
from bps.core.ports import Key, Prefix
from bps.core.txn import Committed, Put, Txn, absent
from bps.store.etcd import EtcdStore
from bps.store.gateway import GatewayStore
from tests.asynchronous import asynchronous, eventually
from tests.integration.store.lossy_proxy import LossyProxy, lossy_proxy


async def _lost(proxy: LossyProxy) -> None:
    async def swallowed() -> bool:
        return proxy.lost_bytes > 0

    await eventually(swallowed, "the proxy lost an answer")


@asynccontextmanager
async def stranger(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers each request with the same bytes; its endpoint, and what it got."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        received.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", received


@asynchronous
async def test_a_lost_answer_is_an_unknown_outcome(etcd_endpoint: str) -> None:
    key = b"/gateway/lost"
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        GatewayStore([proxy.endpoint, etcd_endpoint], deadline_s=0.5) as store,
        EtcdStore([etcd_endpoint]) as direct,
    ):
        before = (await store.snapshot([Key(key)])).revision
        proxy.loses_answers = True
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown) as caught:
            await store.commit(Txn((absent(key),), (Put(key, b"1"),)))
        assert time.monotonic() - started < 1.5
        assert proxy.lost_bytes > 0
        assert (caught.value.facts["op"], caught.value.facts["reason"]) == (
            "commit",
            "no answer in time",
        )
        # Applied once, although the caller does not know: nobody wrote after it.
        snapshot = await direct.snapshot([Key(key)])
        assert [kv.mod_revision for kv in snapshot.answers[0]] == [snapshot.revision]
        assert snapshot.revision == before + 1
        # The next call goes to the other endpoint at once.
        assert (await store.snapshot([Key(key)])).answers == snapshot.answers
        assert isinstance(await store.commit(Txn((), (Put(key, b"2"),))), Committed)


@asynchronous
async def test_a_connection_that_breaks_during_a_write(etcd_endpoint: str) -> None:
    key = b"/gateway/cut"
    async with lossy_proxy(etcd_endpoint) as proxy, GatewayStore([proxy.endpoint]) as store:
        await store.snapshot([Key(key)])
        proxy.loses_answers = True
        writing = asyncio.create_task(store.commit(Txn((absent(key),), (Put(key, b"1"),))))
        await _lost(proxy)
        proxy.cut()
        with pytest.raises(OutcomeUnknown):
            await writing
        proxy.loses_answers = False
        assert (await store.snapshot([Key(key)])).answers[0]


@asynchronous
async def test_without_a_connection_nothing_is_sent(etcd_endpoint: str) -> None:
    async with lossy_proxy(etcd_endpoint) as proxy, lossy_proxy(etcd_endpoint) as other:
        endpoints = [proxy.endpoint, other.endpoint]
    async with GatewayStore(endpoints, deadline_s=0.5, read_bound_s=0.5) as store:
        with pytest.raises(Unavailable) as caught:
            await store.commit(Txn((), (Put(b"/gateway/none", b"1"),)))
        assert all(endpoint in caught.value.message for endpoint in endpoints)
        assert "Connection refused" in caught.value.message
        with pytest.raises(Unavailable):
            await store.snapshot([Key(b"x")])
        assert await store.status() == ()


@asynchronous
async def test_a_write_goes_on_to_another_member_only_while_nothing_was_sent(
    etcd_endpoint: str,
) -> None:
    async with lossy_proxy(etcd_endpoint) as proxy:
        gone = proxy.endpoint
    async with GatewayStore([gone, etcd_endpoint]) as store:
        key = b"/gateway/next"
        assert isinstance(await store.commit(Txn((absent(key),), (Put(key, b""),))), Committed)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n" + b'{"succeeded": "true"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/v3/kv/txn\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=lambda answer: ascii(answer[:34]),
)
def test_a_stranger_among_the_members_gets_a_write_once(answer: bytes) -> None:
    @asynchronous
    async def asked() -> None:
        async with (
            stranger(answer) as (endpoint, received),
            GatewayStore([endpoint], deadline_s=1.0, read_bound_s=0.2) as store,
        ):
            with pytest.raises(OutcomeUnknown):
                await store.commit(Txn((absent(b"a"),), (Put(b"a", b"1"),)))
            assert len(received) == 1
            assert received[0].startswith(b"POST /v3/kv/txn HTTP/1.1\r\n")
            assert b"Grpc-Metadata-hasleader: true\r\n" in received[0]
            with pytest.raises(StoreError) as failed:
                await store.snapshot([Key(b"a")])
            assert isinstance(failed.value, Unavailable | StoreRefused)

    asked()


@asynchronous
async def test_nothing_comes_from_the_environment(
    etcd_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with GatewayStore([etcd_endpoint]) as store:
        assert await store.snapshot([Key(b"x")])


@asynchronous
async def test_cancelled_calls_leave_the_store_usable(etcd_endpoint: str) -> None:
    """Each answer reaches the call that asked for it, whatever became of its neighbours."""
    async with GatewayStore([etcd_endpoint]) as store:
        keys = [b"/gateway/cancel/%03d" % n for n in range(200)]
        await store.commit(Txn((), tuple(Put(key, key) for key in keys[:100])))
        for n in range(60):
            calls = [asyncio.create_task(store.snapshot([Key(key)])) for key in keys[:20]]
            await asyncio.sleep(0.0005 * (n % 10))
            for call in calls[::2]:
                call.cancel()
            answers = await asyncio.gather(*calls[1::2])
            found = [snapshot.answers[0][0].value for snapshot in answers]
            assert found == keys[1:20:2]
            await asyncio.gather(*calls, return_exceptions=True)


@asynchronous
async def test_a_cancelled_write_is_done_once_or_not_at_all(etcd_endpoint: str) -> None:
    async with GatewayStore([etcd_endpoint]) as store, EtcdStore([etcd_endpoint]) as direct:
        prefix = b"/gateway/cancelled/"
        outcomes = []
        for n in range(40):
            key = prefix + b"%02d" % n
            writing = asyncio.create_task(store.commit(Txn((absent(key),), (Put(key, b""),))))
            await asyncio.sleep(0.0002 * (n % 20))
            writing.cancel()
            (outcome,) = await asyncio.gather(writing, return_exceptions=True)
            assert isinstance(outcome, Committed | asyncio.CancelledError)
            outcomes.append((key, isinstance(outcome, Committed)))
        await store.close()
        found = {kv.key for kv in (await direct.snapshot([Prefix(prefix)])).answers[0]}
        assert {key for key, committed in outcomes if committed} <= found
        assert any(not committed for _, committed in outcomes)


@asynchronous
async def test_closing_the_store_under_a_write(etcd_endpoint: str) -> None:
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        GatewayStore([proxy.endpoint], deadline_s=1.0) as store,
    ):
        await store.snapshot([Key(b"x")])
        proxy.loses_answers = True
        writing = asyncio.create_task(store.commit(Txn((), (Put(b"/gateway/close", b"1"),))))
        reading = asyncio.create_task(store.snapshot([Key(b"x")]))
        await _lost(proxy)
        closing = asyncio.create_task(store.close())
        with pytest.raises(OutcomeUnknown):
            await writing
        with pytest.raises(Unavailable):
            await reading
        await closing
        with pytest.raises(Unavailable, match="closed"):
            await store.snapshot([Key(b"x")])
        with pytest.raises(Unavailable, match="closed"):
            await store.commit(Txn((), (Put(b"/gateway/close", b"2"),)))
