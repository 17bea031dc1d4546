"""A watch's stream that ended while nobody read from it, as after a frozen process thaws."""

from __future__ import annotations

import pytest

from bps.store.etcd import EtcdStore
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.watch import Watch
from bps.store.failures import Refusal
from tests.asynchronous import run


def test_writing_to_an_ended_stream_is_a_refusal_that_another_member_may_cure() -> None:
    run(_write_to_an_ended_stream())


async def _write_to_an_ended_stream() -> None:
    async with EtcdStore(["127.0.0.1:1"]) as store:
        member = store._calls.members.all[0]
        stream = member.watch()
        stream.cancel()
        watch = Watch(store._calls, b"/x", 1)
        with pytest.raises(Refusal, match="had ended") as caught:
            await watch._send(stream, member, pb.WatchRequest())
        assert caught.value.verdict.elsewhere
