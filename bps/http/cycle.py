"""One request and its answer; and the answer to what never became a request."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from bps.core.errors import BpsError
from bps.http.problems import MEDIA_TYPE, problem_body, problem_headers
from bps.http.tracing import new_trace

_log = logging.getLogger(__name__)


def answer_bytes(error: BpsError) -> bytes:
    """A whole HTTP answer that refuses what never became a request; the connection ends with it."""
    trace = new_trace()
    body = problem_body(error, instance="", trace_id=trace.trace_id)
    _log.info("refused a connection: %s", error.message, extra={"trace_id": trace.trace_id})
    content = orjson.dumps(body)
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(content)),
        "Connection": "close",
        "Traceparent": trace.traceparent,
        "BPS-Trace-Id": trace.trace_id,
        **problem_headers(error),
    }
    lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[body["status"]] + lines.encode() + b"\r\n" + content


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        """As uvicorn's; who is answered before all was read cannot send another request."""
        if self.more_body and not self.response_started:
            self.keep_alive = False
        await super().send(message)

    async def send_500_response(self) -> None:
        """The last resort, where not even the application's own one answered."""
        self.response_started = self.response_complete = True
        self.transport.write(answer_bytes(BpsError("The service failed.")))
        self.transport.close()
