"""Request bodies: their type, size and time are bounded, and JSON is parsed strictly."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from fastapi import Header
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from bps.core import ids
from bps.core.errors import (
    IdempotencyKeyRequired,
    InvalidInput,
    RequestTimedOut,
    RequestTooLarge,
    UnsupportedMediaType,
)
from bps.http.limits import Limits
from bps.http.problems import shown
from bps.http.service import service_of
from bps.http.strict_json import parse

JSON_TYPES = ("application/json",)
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")
_MEDIA_TYPE = re.compile(r"([\w.+/-]+)[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\")[ \t]*)?", re.I)
_LENGTH = re.compile(r"[0-9]{1,18}")
_IDENTITY = "identity"


class StrictRequest(Request):
    """A request whose JSON body is parsed strictly, and whose body is bounded."""

    async def body(self) -> bytes:
        """The body of a JSON route, at most `max_json_bytes`.

        Raises:
            RequestTooLarge, RequestTimedOut.
        """
        if not hasattr(self, "_body"):
            limits = service_of(self).limits
            self._body = await _read(self, limits.max_json_bytes, limits)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The value in the body.

        Raises:
            UnsupportedMediaType: it is not declared as plain `application/json`.
            InvalidInput: it is not strict JSON; see `bps.http.strict_json`.
            RequestTooLarge, RequestTimedOut.
        """
        if not hasattr(self, "_json"):
            _check_media_type(self, JSON_TYPES)
            depth = service_of(self).limits.max_json_depth
            self._json = parse(await self.body(), max_depth=depth)
        return self._json

    async def read_json(self) -> None:
        """Read and parse now, so that failures keep their names; an empty body stays empty.

        Raises: as `json`.
        """
        if self.headers.get("content-type") is not None:
            _check_media_type(self, JSON_TYPES)
        _check_encoding(self)
        if await self.body():
            await self.json()


async def blueprint_body(request: Request) -> bytes:
    """A dependency: the bytes of a blueprint, at most `max_blueprint_bytes`, not parsed.

    Raises:
        UnsupportedMediaType: it is not declared as YAML, or is compressed.
        InvalidInput: there is no body.
        RequestTooLarge, RequestTimedOut.
    """
    _check_media_type(request, YAML_TYPES)
    limits = service_of(request).limits
    data = await _read(request, limits.max_blueprint_bytes, limits)
    if not data:
        raise InvalidInput("The body is empty; send the blueprint's YAML.")
    return data


async def operation_id(
    request: Request,
    idempotency_key: Annotated[  # noqa: ARG001 - declares the header in OpenAPI
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Names this act of yours; the same one repeats it without doing it twice.",
            examples=["promote-2026-11-21.1"],
            json_schema_extra={"pattern": f"^{ids.OPERATION_FORM}$"},
        ),
    ] = None,
) -> str:
    """A dependency: the idempotency key, unique per principal.

    Raises:
        IdempotencyKeyRequired: there is none.
        InvalidId: it is not of its form.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        raise IdempotencyKeyRequired("The request has no header Idempotency-Key.")
    return ids.operation_id(key)


def _check_media_type(request: Request, accepted: tuple[str, ...]) -> None:
    _check_encoding(request)
    named = request.headers.get("content-type")
    wanted = f"Send the body as {accepted[0]}"
    if named is None:
        raise UnsupportedMediaType(f"{wanted}; the request has no Content-Type.")
    found = _MEDIA_TYPE.fullmatch(named.strip())
    if found is None or found[1].lower() not in accepted:
        raise UnsupportedMediaType(f"{wanted}, in UTF-8, not as {shown(named)}.")


def _check_encoding(request: Request) -> None:
    encoding = request.headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() != _IDENTITY:
        message = f"Send the body as it is, not with Content-Encoding {shown(encoding)}."
        raise UnsupportedMediaType(message)


async def _read(request: Request, limit_bytes: int, limits: Limits) -> bytes:
    """The whole body; nothing is read where its declared length is over the limit."""
    declared = request.headers.get("content-length")
    if declared is not None:
        if not _LENGTH.fullmatch(declared):
            raise InvalidInput("The header Content-Length is no length.")
        if int(declared) > limit_bytes:
            raise _too_large(limit_bytes)
    chunks: list[bytes] = []
    size = 0
    deadline_s = limits.body_deadline_s
    try:
        async with asyncio.timeout(deadline_s):
            while True:
                message: Message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        message_text = f"The body was not there after {deadline_s:g} s."
        raise RequestTimedOut(message_text) from None


def _too_large(limit_bytes: int) -> RequestTooLarge:
    message = f"The body is longer than the {limit_bytes} bytes that are taken here."
    return RequestTooLarge(message, limit_bytes=limit_bytes)
