"""What validators print is read on; marks alone are not worth waking up for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import BinaryIO

import pytest

from bps.validation import process
from bps.validation.frames import MARK
from bps.validation.process import _Printed
from tests.asynchronous import asynchronous, eventually

SAID = MARK + b"said"


@asynccontextmanager
async def pipe() -> AsyncIterator[tuple[asyncio.ReadTransport, _Printed, BinaryIO]]:
    heard, printing = os.pipe()
    loop = asyncio.get_running_loop()
    with os.fdopen(heard, "rb", buffering=0) as output, os.fdopen(printing, "wb", 0) as target:
        found, printed = await loop.connect_read_pipe(_Printed, output)
        with closing(found):
            yield found, printed, target


@asynchronous
async def test_after_a_mark_alone_nothing_is_read_until_it_is_to_go_on() -> None:
    async with pipe() as (read, printed, target):

        async def rests() -> bool:
            return not read.is_reading()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(process, "_REST_S", 3_600.0)
            target.write(MARK)
            await eventually(rests, "reading rests")
        target.write(b"said")
        printed.go_on()
        assert read.is_reading()
        target.close()
        await printed.over.wait()
        assert printed.text == "said"
        printed.go_on()


@pytest.mark.parametrize("first", [MARK, SAID, MARK + MARK])
@asynchronous
async def test_what_is_printed_later_is_read_by_itself(first: bytes) -> None:
    async with pipe() as (_, printed, target):

        async def was_read() -> bool:
            return printed.text == "said again"

        target.write(first)
        await asyncio.sleep(0)
        target.write(MARK + b"said again")
        await eventually(was_read, "what was printed is read")


@asynchronous
async def test_who_prints_is_read_without_a_rest() -> None:
    async with pipe() as (read, printed, target):

        async def was_read() -> bool:
            return printed.text == "said"

        target.write(SAID)
        await eventually(was_read, "what was printed is read")
        assert read.is_reading()
