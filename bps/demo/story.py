"""The story: two branches of one plan, a real merge, proofs, damage, and two kills."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bps.bootstrap import Settings, embedded_etcd, open_store
from bps.core import keys
from bps.core.errors import ClaimFailed, ConfigError
from bps.core.ports import Key, Store
from bps.core.txn import Put, Txn, unchanged
from bps.demo.console import PLAN, Console
from bps.demo.held_proxy import HeldProxy, Hold

SAMPLES = {
    PLAN: "checkout-service.yaml",
    "EP-43": "payments-platform.yaml",
    "EP-44": "data-warehouse.yaml",
}
_RETRY = ("attempt_timeout_ms: 9000", "attempt_timeout_ms: 2500")
_READABLE = "      - Every open cart is readable in the new service before the switch.\n"
_CARTS = (
    _READABLE,
    _READABLE + "      - The copy is repeated for carts that changed while it ran.\n",
)
_RISKS = {
    Hold.REQUEST: ("risks:\n", "risks: # reviewed\n"),
    Hold.REPLY: ("risks: # reviewed\n", "risks: # reviewed twice\n"),
}
_DEADLINE_S = 15.0


async def run_demo(samples: Path) -> int:
    """Tell the story on a temporary etcd; the number of claims that were checked.

    Raises:
        ClaimFailed: a claim did not hold.
        ConfigError: a sample is missing, or no etcd program is found.
    """
    for name in SAMPLES.values():
        if not (samples / name).is_file():
            raise ConfigError(f"The sample {samples / name} is missing; name them with --samples.")
    async with embedded_etcd(temporary=True) as etcd:
        with TemporaryDirectory(prefix="bps-demo-") as directory:
            console = Console(etcd.endpoint, Path(directory))
            console.tell(f"an etcd of our own runs on {etcd.endpoint}")
            await _register(console, samples)
            first, second = await _repair(console)
            await _promote(console, first, second)
            await _prove(console)
            async with open_store(Settings(endpoints=(etcd.endpoint,))) as store:
                await _damage(console, store)
                await _kill(console, store)
    console.claim(
        "etcd is stopped and its data are gone",
        holds=not etcd.directory.exists() and not _runs(etcd.pid),
        seen=f"process {etcd.pid}, {etcd.directory}",
    )
    return console.claims


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _register(console: Console, samples: Path) -> None:
    await console.bps("init")
    for plan, name in SAMPLES.items():
        await console.bps("plan", "register", plan, str(samples / name), "--title", name)
    shown = await console.bps("plan", "show", PLAN)
    console.claim(
        f"{PLAN} is SEALED and version 1 is canonical",
        holds=(shown["status"], shown["canonical_version"]) == ("SEALED", "1"),
        seen=shown,
    )


async def _repair(console: Console) -> tuple[str, str]:
    """Two root causes, a branch each, both repaired. The two RR-plans."""
    reports = (
        ("trace-retry", "gateway timeout exceeds the caller's", _RETRY),
        ("trace-carts", "carts change during the copy", _CARTS),
    )
    opened = []
    for trace, fingerprint, edit in reports:
        options = ("--trace-id", trace, "--fingerprint", fingerprint)
        branch = await console.bps("branch", "open", PLAN, *options)
        opened.append((branch["rr_plan"], edit))
    for rr_plan, edit in opened:
        console.edit_fork(rr_plan, *edit)
        done = await console.bps("branch", "submit", PLAN, rr_plan)
        console.claim(f"{rr_plan} has SUCCEEDED", holds=done["state"] == "SUCCEEDED", seen=done)
    return opened[0][0], opened[1][0]


async def _promote(console: Console, first: str, second: str) -> None:
    done = await console.bps("promote", PLAN, first)
    console.claim("version 2 is canonical", holds=done["version"] == "2", seen=done)
    done = await console.bps("promote", PLAN, second)
    console.claim(
        "the second is merged into the moved canonical: version 3, not first-writer-wins",
        holds=(done["how"], done["version"]) == ("promotion", "3"),
        seen=done,
    )
    merged = await console.bps("branch", "show", PLAN, second)
    console.claim(
        "it is sealed with STATUS=OBSOLETE_MERGED",
        holds=merged["state"] == "OBSOLETE_MERGED",
        seen=merged,
    )
    text = (console.workspace / PLAN / "canonical_blueprint.yaml").read_text()
    console.claim(
        "version 3 holds both fixes; none was lost",
        holds=_RETRY[1] in text and _CARTS[1] in text,
        seen=text,
    )
    log = await console.bps("log", PLAN)
    nullified = [int(e["id"]) for e in log if e["type"].endswith(".vc_nullify")]
    promoted = [int(e["id"]) for e in log if e["type"].endswith(".blueprint_promoted")]
    console.claim(
        f"its VC_NULLIFY (event {nullified[0]}) follows the promotion (event {promoted[-1]})",
        holds=len(nullified) == 1 and nullified[0] == promoted[-1] + 1,
        seen=log,
    )


async def _prove(console: Console) -> None:
    proved = await console.bps("replay")
    ours = next(each for each in proved if each["plan"] == PLAN)
    console.claim(
        f"{ours['events']} events alone give the stored state, {ours['records']} records equal",
        holds=len(proved) == len(SAMPLES) and ours["version"] == "3",
        seen=proved,
    )


async def _damage(console: Console, store: Store) -> None:
    """Flip a byte of event 5 behind the product's back."""
    key = keys.PlanKeys(PLAN).event(5)
    stored = (await store.snapshot([Key(key)])).answers[0][0]
    position = stored.value.index(b'"time_ms":') + len(b'"time_ms":')
    flipped = bytearray(stored.value)
    flipped[position] ^= 1
    await store.commit(Txn((unchanged(key, stored.mod_revision),), (Put(key, bytes(flipped)),)))
    console.tell("somebody flips one bit of event 5 in etcd")
    problem = await console.bps("verify", PLAN, expect=3)
    console.claim(
        "bps verify finds it and names event 5",
        holds=problem["facts"]["index"] == 5,  # noqa: PLR2004 - the event damaged above
        seen=problem,
    )
    await store.commit(Txn((), (Put(key, stored.value),)))
    await console.bps("verify", PLAN)


async def _kill(console: Console, store: Store) -> None:
    """Kill -9 in the middle of two promotions: before etcd got it, and before its reply."""
    for hold, version in ((Hold.REQUEST, "4"), (Hold.REPLY, "5")):
        rr_plan = await _repaired_branch(console, hold)
        operation = f"demo-kill-{hold.value}"
        arguments = ("promote", PLAN, rr_plan, "--op-id", operation)
        async with _held(console, hold, arguments):
            if hold is Hold.REPLY:
                await _eventually_canonical(store, version)
        console.tell(f"kill -9 while the promotion's {hold.value} is on its way")
        done = await console.bps(*arguments)
        console.claim(
            f"started again, version {version} is canonical",
            holds=done["version"] == version,
            seen=done,
        )
        log = await console.bps("log", PLAN)
        promotions = [
            event
            for event in log
            if event["type"].endswith(".blueprint_promoted")
            and event["bpsoperation"] == f"demo/{operation}"
        ]
        console.claim(
            "the log holds that promotion exactly once", holds=len(promotions) == 1, seen=promotions
        )
    await console.bps("replay", PLAN)


async def _repaired_branch(console: Console, hold: Hold) -> str:
    options = ("--trace-id", f"trace-{hold.value}", "--fingerprint", f"lost {hold.value}")
    opened: dict[str, Any] = await console.bps("branch", "open", PLAN, *options)
    rr_plan: str = opened["rr_plan"]
    console.edit_fork(rr_plan, *_RISKS[hold])
    await console.bps("branch", "submit", PLAN, rr_plan)
    return rr_plan


@asynccontextmanager
async def _held(console: Console, hold: Hold, arguments: tuple[str, ...]) -> AsyncIterator[None]:
    """A `bps` process whose promotion is held; it is killed at the end."""
    proxy = HeldProxy(console.endpoint, b"BLUEPRINT_PROMOTED", hold)
    async with proxy.running():
        process = await console.start(*arguments, endpoint=proxy.endpoint)
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await proxy.reached.wait()
                yield
        except TimeoutError:
            msg = f"the promotion's {hold.value} is on its way within {_DEADLINE_S:g} s"
            raise ClaimFailed(f"Not true: {msg}. Seen: {process.returncode}") from None
        finally:
            process.kill()
            await process.communicate()


async def _eventually_canonical(store: Store, version: str) -> None:
    key = keys.PlanKeys(PLAN).canonical
    expected = f'"version":"{version}"'.encode()
    listed = await store.snapshot([Key(key)])
    if expected in listed.answers[0][0].value:
        return
    async with aclosing(store.watch(key, start_revision=listed.revision + 1)) as batches:
        async for batch in batches:
            if any(expected in change.kv.value for change in batch.events):
                return
