"""Events over HTTP: as a stream and by pages; each once, and nothing lost without a word."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from bps.core import keys
from bps.core.errors import ClockJump, NotAcceptable
from bps.core.keys import PlanKeys
from bps.core.txn import Delete, Put, Txn
from bps.http.accept import negotiated
from bps.http.limits import Limits
from bps.leadership.modes import Reason
from bps.replay.events import read_events
from tests.asynchronous import asynchronous
from tests.unit.http.harness import Served, served
from tests.unit.http.subscriber import Subscriber

YAML = {"Content-Type": "application/yaml"}
BLUEPRINT = b"title: Checkout service\ntasks:\n  - id: charge\n    timeout_ms: 9000\n"


async def register(to: Served, plan: str) -> None:
    path = f"/v1/plans/{plan}?initiative=default&title=t"
    done = await to.call("PUT", path, headers=YAML, content=BLUEPRINT)
    assert done.status_code == 201, done.text


async def open_branch(to: Served, plan: str, cause: str) -> None:
    asked = {"trace_id": f"trace-{cause}", "fingerprint": cause}
    done = await to.call("POST", f"/v1/plans/{plan}/branches", json=asked)
    assert done.status_code in {200, 201}, done.text


async def restart(to: Served) -> None:
    """Begin the feed anew, as a new process does: what it had in memory is gone."""
    to.sidecar.feed._begin((await to.store.status())[0].revision, 0)


async def log(to: Served, plan: str) -> list[Any]:
    return [event.model_dump(mode="json") async for event in read_events(to.store, plan, 1)]


async def page(to: Served, path: str, **query: Any) -> Any:
    got = await to.call("GET", path, params=query)
    assert got.status_code == 200, got.text
    assert got.headers["cache-control"] == "no-store"
    return got.json()


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("Text/Event-Stream;charset=utf-8", "text/event-stream"),
        ("text/event-stream, application/json", "application/json"),
        ("text/event-stream, application/json;q=0.9", "text/event-stream"),
        ("text/event-stream;q=0.1, */*;q=0.2", "application/json"),
        ("application/json;q=0, */*", "text/event-stream"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=x, text/*;q=0.001", "text/event-stream"),
        ("text/html", "406"),
        ("application/json;q=0", "406"),
        ("*/*;q=0.0", "406"),
        ("application/json;q=2", "406"),
    ],
)
def test_the_media_type_is_the_one_that_the_caller_likes_best(
    accept: str | None, chosen: str
) -> None:
    offered = ("application/json", "text/event-stream")
    if chosen == "406":
        with pytest.raises(NotAcceptable):
            negotiated(accept, offered)
    else:
        assert negotiated(accept, offered) == chosen


@asynchronous
async def test_pages_of_a_plan_are_its_log() -> None:
    async with served() as to:
        await register(to, "EP-1")
        for n in range(4):
            await open_branch(to, "EP-1", f"cause {n}")
        got, after = [], "0"
        while found := (await page(to, "/v1/plans/EP-1/events", after=after, limit=2)):
            got += found["events"]
            after = found["next_after"]
            if not found["events"]:
                break
        assert got == await log(to, "EP-1")
        assert after == str(len(got)) == "5"


@asynchronous
async def test_pages_of_all_plans_hold_each_event_once_whatever_the_limit() -> None:
    async with served() as to:
        start = (await page(to, "/v1/events"))["next_after"]
        for plan in ("EP-1", "EP-2"):
            await register(to, plan)
            await open_branch(to, plan, "cause")
        for limit in (1, 3, 500):
            got: list[Any] = []
            after = start
            while len(got) < 4:
                found = await page(to, "/v1/events", after=after, limit=limit, wait_s=5)
                got += found["events"]
                after = found["next_after"]
            assert [(e["source"], e["id"]) for e in got] == [
                ("/plans/EP-1", "1"),
                ("/plans/EP-1", "2"),
                ("/plans/EP-2", "1"),
                ("/plans/EP-2", "2"),
            ]
        assert (await page(to, "/v1/events", after=after))["events"] == []


@asynchronous
async def test_a_long_poll_answers_when_something_happens() -> None:
    async with served() as to:
        await register(to, "EP-1")
        start = (await page(to, "/v1/events"))["next_after"]
        of_plan = asyncio.create_task(page(to, "/v1/plans/EP-1/events", after=1, wait_s=30))
        of_all = asyncio.create_task(page(to, "/v1/events", after=start, wait_s=30))
        await asyncio.sleep(0.05)
        assert not of_plan.done()
        await open_branch(to, "EP-1", "cause")
        events = (await of_plan)["events"]
        assert events == (await of_all)["events"] == (await log(to, "EP-1"))[1:]


@asynchronous
async def test_a_stream_brings_the_log_and_then_what_happens() -> None:
    async with served() as to:
        await register(to, "EP-1")
        async with Subscriber(to.app, "/v1/plans/EP-1/events") as stream:
            assert (await stream.events(1))[0].id == "1"
            await open_branch(to, "EP-1", "cause")
            await stream.events(2)
        got = [orjson.loads(event.data) for event in stream.got]
        assert got == await log(to, "EP-1")
        assert [event.type for event in stream.got] == [event["type"] for event in got]
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.text.startswith("retry: 2000\nid: 0\n\n")


@asynchronous
async def test_a_stream_of_all_plans_goes_on_after_the_last_event_id() -> None:
    async with served() as to:
        start = (await page(to, "/v1/events"))["next_after"]
        await register(to, "EP-1")
        await register(to, "EP-2")
        async with Subscriber(to.app, f"/v1/events?after={start}") as first:
            await first.events(2)
        await open_branch(to, "EP-2", "cause")
        last = {"Last-Event-ID": first.got[0].id}
        async with Subscriber(to.app, f"/v1/events?after={start}", headers=last) as second:
            await second.events(2)
        ids = [event.id for event in (first.got[0], *second.got)]
        assert len(set(ids)) == 3
        assert second.got[0] == first.got[1]


@asynchronous
async def test_a_quiet_stream_tells_where_it_is() -> None:
    async with served(Limits(keep_alive_s=0.02)) as to:
        async with Subscriber(to.app, "/v1/events") as stream:
            await stream.until(lambda: ": keep-alive\n\n" in stream.text)
            before = stream.last_id
            await to.store.commit(Txn((), (Put(keys.ROOT + b"ops/p/1", b"x"),)))
            await stream.until(lambda: stream.last_id != before)
        assert stream.got == []
        revision = int(stream.last_id.partition("-")[0])
        assert revision == (await to.store.status())[0].revision + 1


@asynchronous
async def test_a_stream_whose_changes_were_compacted_says_so_and_goes_on() -> None:
    async with served() as to:
        for plan in ("EP-1", "EP-2", "EP-3"):
            await register(to, plan)
        newest = (await to.store.status())[0].revision
        await to.store.compact(newest)
        await restart(to)
        async with Subscriber(to.app, "/v1/events?after=1") as stream:
            (told,) = await stream.events(1)
            relist_at = int(orjson.loads(told.data)["relist_at"])
            assert (told.type, told.id) == ("compacted", f"{relist_at + 1}-0")
            assert relist_at >= newest
            await open_branch(to, "EP-1", "cause")
            await stream.events(2)
        refused = await to.call("GET", "/v1/events?after=1")
        assert (refused.status_code, refused.json()["code"]) == (410, "REVISION_COMPACTED")
        after = refused.json()["facts"]["after"]
        assert (await page(to, "/v1/events", after=after))["events"] == []


@asynchronous
async def test_a_plans_stream_survives_a_compaction() -> None:
    async with served() as to:
        await register(to, "EP-1")
        await open_branch(to, "EP-1", "cause")
        await to.store.compact((await to.store.status())[0].revision)
        await restart(to)
        async with Subscriber(to.app, "/v1/plans/EP-1/events") as stream:
            await stream.events(2)
            await open_branch(to, "EP-1", "other")
            await stream.events(3)
        assert [event.id for event in stream.got] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events?after=-1",
        "/v1/events?after=1-",
        "/v1/events?after=01",
        "/v1/events?after=1-1-1",
        "/v1/events?after=9223372036854775807",
        "/v1/events?after=99999999999999999999",
        "/v1/events?after=1000000",
        "/v1/events?after=",
        "/v1/events?limit=0",
        "/v1/events?limit=501",
        "/v1/events?wait_s=61",
        "/v1/events?wait_s=1.0",
        "/v1/events?since=1",
        "/v1/plans/EP-1/events?after=1-1",
        "/v1/plans/EP-1/events?after=2",
        "/v1/plans/EP-1/events?after=-1",
        "/v1/plans/ep-1/events",
    ],
)
@asynchronous
async def test_a_bad_place_or_parameter_is_refused_before_a_stream_begins(path: str) -> None:
    async with served() as to:
        await register(to, "EP-1")
        for accept in ("application/json", "text/event-stream"):
            got = await to.call("GET", path, headers={"Accept": accept})
            assert got.status_code == 400, got.text
            assert got.json()["code"] in {"INVALID_INPUT", "INVALID_ID"}


@pytest.mark.parametrize("last", ["x", "1-x", "-1", "1-1", "2", "9" * 30])
@asynchronous
async def test_a_bad_last_event_id_is_refused(last: str) -> None:
    async with served() as to:
        await register(to, "EP-1")
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
        got = await to.call("GET", "/v1/plans/EP-1/events", headers=headers)
        assert (got.status_code, got.json()["code"]) == (400, "INVALID_INPUT")


@asynchronous
async def test_a_page_ignores_the_place_of_a_stream_but_not_its_form() -> None:
    async with served() as to:
        await register(to, "EP-1")
        for path in ("/v1/plans/EP-1/events?after=0", "/v1/events?after=0"):
            for last, status in (("x", 400), ("1", 200), ("", 200)):
                got = await to.call("GET", path, headers={"Last-Event-ID": last})
                assert got.status_code == status, got.text


@asynchronous
async def test_what_is_not_there_or_not_offered_is_said() -> None:
    async with served() as to:
        assert (await to.call("GET", "/v1/plans/EP-9/events")).status_code == 404
        html = await to.call("GET", "/v1/events", headers={"Accept": "text/html"})
        assert (html.status_code, html.json()["code"]) == (406, "NOT_ACCEPTABLE")
        assert (await to.call("GET", "/v1/events", role=None)).status_code == 401


@asynchronous
async def test_more_streams_than_the_limit_are_refused_until_one_ends() -> None:
    async with served(Limits(max_streams=1)) as to:
        async with Subscriber(to.app, "/v1/events") as stream:
            await stream.until(lambda: bool(stream.text))
            refused = await to.call("GET", "/v1/events")
            assert refused.status_code == 503
            assert refused.json()["code"] == "TOO_MANY_CONNECTIONS"
            assert refused.headers["retry-after"] == "5"
        assert (await to.call("GET", "/v1/events")).status_code == 200


@asynchronous
async def test_streams_and_polls_end_when_the_service_drains() -> None:
    async with served() as to:
        await register(to, "EP-1")
        poll = asyncio.create_task(page(to, "/v1/plans/EP-1/events", after=1, wait_s=60))
        async with Subscriber(to.app, "/v1/plans/EP-1/events") as stream:
            await stream.events(1)
            to.sidecar.draining.set()
            await stream.ended()
        assert stream.text.endswith(": draining\n\n")
        assert await poll == {"events": [], "next_after": "1"}


@asynchronous
async def test_a_stream_ends_with_its_credential() -> None:
    async with served(Limits(recheck_s=0.02)) as to:
        async with Subscriber(to.app, "/v1/events") as stream:
            await stream.until(lambda: bool(stream.text))
            to.guard.valid = False
            await stream.ended()
        assert stream.text.endswith(": the credential has ended\n\n")
        refused = await to.call("GET", "/v1/events?wait_s=1")
        assert refused.status_code == 401


@asynchronous
async def test_a_damaged_event_is_named_and_does_not_stop_the_others() -> None:
    async with served() as to:
        await register(to, "EP-1")
        start = (await page(to, "/v1/events"))["next_after"]
        at = PlanKeys("EP-1")
        await to.store.commit(Txn((), (Put(at.event(2), b"{}"), Put(at.body(2), b"{}"))))
        await register(to, "EP-2")
        async with Subscriber(to.app, f"/v1/events?after={start}") as stream:
            await stream.events(2)
        assert [event.type for event in stream.got] == [
            "problem",
            "io.haios.bps.plan_registered",
        ]
        assert orjson.loads(stream.got[0].data)["code"] == "MALFORMED_RECORD"
        found = await page(to, "/v1/events", after=start)
        assert [bad["plan"] for bad in found["unreadable"]] == ["EP-1"]
        assert [event["source"] for event in found["events"]] == ["/plans/EP-2"]


@asynchronous
async def test_a_missing_event_ends_its_plans_stream_by_name() -> None:
    async with served() as to:
        await register(to, "EP-1")
        await open_branch(to, "EP-1", "cause")
        await to.store.commit(Txn((), (Delete(PlanKeys("EP-1").body(2)),)))
        async with Subscriber(to.app, "/v1/plans/EP-1/events") as stream:
            await stream.ended()
        assert [event.type for event in stream.got] == ["io.haios.bps.plan_registered", "problem"]
        assert orjson.loads(stream.got[1].data)["code"] == "CHAIN_BROKEN"


@asynchronous
async def test_the_mode_is_told_at_the_beginning_and_at_each_edge_without_an_id() -> None:
    async with served() as to:
        await register(to, "EP-1")
        async with Subscriber(to.app, "/v1/plans/EP-1/events") as stream:
            await stream.events(1)
            (first,) = map(orjson.loads, stream.modes)
            assert (first["mode"], first["reason"]) == ("READ_WRITE", None)
            assert first["since"].endswith("Z")
            to.sidecar.terms.hold(Reason.CLOCK_JUMP, ClockJump("the clock jumped"))
            await stream.until(lambda: len(stream.modes) == 2)
            to.sidecar.terms.release(Reason.CLOCK_JUMP)
            await stream.until(lambda: len(stream.modes) == 3)
            told = [(mode["mode"], mode["reason"]) for mode in map(orjson.loads, stream.modes)]
            assert told == [("READ_WRITE", None), ("READ_ONLY", "clock_jump"), ("READ_WRITE", None)]
            assert stream.last_id == "1"
            assert [event.id for event in stream.got] == ["1"]


@pytest.mark.parametrize("path", ["/v1/plans/EP-1/events", "/v1/events"])
@asynchronous
async def test_who_resumes_after_a_change_of_the_mode_loses_and_doubles_nothing(path: str) -> None:
    async with served() as to:
        start = (await page(to, "/v1/events"))["next_after"] if path == "/v1/events" else "0"
        await register(to, "EP-1")
        last, got = start, []
        for n in range(4):
            async with Subscriber(to.app, path, headers={"Last-Event-ID": last}) as stream:
                # The mode changes before, between and after the events.
                await stream.until(lambda: bool(stream.modes))
                to.sidecar.terms.hold(Reason.CLOCK_JUMP, ClockJump("the clock jumped"))
                await stream.until(lambda: len(stream.modes) > 1)
                to.sidecar.terms.release(Reason.CLOCK_JUMP)
                await stream.events(1)
                if n == 3:
                    break
                to.sidecar.terms.hold(Reason.CLOCK_JUMP, ClockJump("the clock jumped"))
                to.sidecar.terms.release(Reason.CLOCK_JUMP)
                last = stream.last_id
                got += stream.got
            await open_branch(to, "EP-1", f"cause {n}")
        got += stream.got
        assert [orjson.loads(event.data) for event in got] == await log(to, "EP-1")
