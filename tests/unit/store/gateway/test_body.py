"""A body knows whether it was given out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from bps.store.gateway.body import Body, BodyWithheldError


def test_a_body_that_was_read_cannot_be_withheld() -> None:
    body = Body(b"content")
    assert body.read(3) == b"con"
    assert not body.withhold()
    assert body.read() == b"tent"


def test_a_withheld_body_is_never_read() -> None:
    body = Body(b"content")
    assert body.withhold()
    assert body.withhold()
    with pytest.raises(BodyWithheldError):
        body.read()


def test_reader_and_owner_agree_whoever_is_first() -> None:
    with ThreadPoolExecutor(2) as threads:
        for _ in range(200):
            body, start = Body(b"x"), Barrier(2)

            def read(body: Body = body, start: Barrier = start) -> bool:
                start.wait()
                try:
                    return body.read() == b"x"
                except BodyWithheldError:
                    return False

            def withhold(body: Body = body, start: Barrier = start) -> bool:
                start.wait()
                return body.withhold()

            given, withheld = threads.submit(read), threads.submit(withhold)
            assert given.result() is not withheld.result()
