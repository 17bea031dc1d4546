"""From answers to models: strict in types, but fields of a later release are passed over."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Hashable, Mapping
from functools import cache
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import quote

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from bps.api.pages import UnreadablePlan
from bps.client.responses import Answer, number_of, unreadable
from bps.client.transport import ANSWER_S, Transport, query_of
from bps.core import ids
from bps.core.errors import IntegrityError, MalformedRecord, SchemaTooNew
from bps.plans.unreadable import unreadable as unreadable_plans
from bps.writepath.command import Outcome

T = TypeVar("T")
V = TypeVar("V", bound=BaseModel)

Query = Mapping[str, str | int | None]
PAGE = 200
"""How many items are asked for at once."""
_HOW = {"committed", "repeated", "noop"}


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` None at its end, `unreadable` what it lacks."""

    items: list[T]
    next_cursor: str | None = None
    unreadable: list[UnreadablePlan] = []

    def errors(self) -> dict[str, IntegrityError]:
        """What it lacks, by plan."""
        return {each.plan: _error_of(each) for each in self.unreadable}


def _error_of(lacking: UnreadablePlan) -> IntegrityError:
    newer = lacking.code == SchemaTooNew.code
    return (SchemaTooNew if newer else MalformedRecord)(lacking.detail)


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def path_of(*segments: str) -> str:
    """A path under `/v1`; no segment can leave its place."""
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


class Calls:
    """What all groups of calls share: one transport."""

    _transport: Transport

    def _parse(self, kind: type[T], answer: Answer, op_id: str | None = None) -> T:
        """The body as `kind`. Raises ConfigError, or OutcomeUnknown for an act's answer."""
        try:
            return cast(
                "T", _adapter(cast("Hashable", kind)).validate_json(answer.body, extra="ignore")
            )
        except ValidationError:
            raise unreadable(self._transport.target, answer.status, op_id) from None

    async def _get(
        self,
        kind: type[T],
        *segments: str,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
        answer_s: float = ANSWER_S,
    ) -> T:
        answer = await self._transport.read(
            path_of(*segments), query=query_of(query), headers=headers, answer_s=answer_s
        )
        return self._parse(kind, answer)

    async def _pages(
        self, kind: type[T], *segments: str, query: Query | None = None
    ) -> AsyncGenerator[T, None]:
        """Every item of a list, a page at a time.

        Raises IntegrityError after the last one, where the service could not read some.
        """
        cursor: str | None = None
        errors: dict[str, IntegrityError] = {}
        while True:
            page = await self._get(
                Page[kind],  # type: ignore[valid-type]
                *segments,
                query={**(query or {}), "limit": PAGE, "cursor": cursor},
            )
            for item in page.items:
                yield item
            errors |= page.errors()
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        if errors:
            raise unreadable_plans("plan", errors)

    async def _act(
        self,
        kind: type[V],
        method: Literal["POST", "PUT"],
        *segments: str,
        op_id: str | None,
        body: Mapping[str, Any] | None = None,
        blueprint: bytes | None = None,
        if_match: str | None = None,
        query: Query | None = None,
    ) -> Outcome[V]:
        """One act: its result, and whether it was done now, before, or not needed."""
        operation = operation_of(op_id)
        content, content_type = b"", "application/json"
        if blueprint is not None:
            content, content_type = blueprint, "application/yaml"
        elif body is not None:
            content = orjson.dumps(body)
        answer = await self._transport.write(
            method,
            path_of(*segments),
            op_id=operation,
            query=query_of(query),
            headers={} if if_match is None else {"If-Match": if_match},
            content=content,
            content_type=content_type,
        )
        return outcome_of(self._parse(kind, answer, operation), answer.headers)


def operation_of(op_id: str | None) -> str:
    """The operation id that was given, or a new one. Raises InvalidId."""
    return ids.operation_id(str(uuid.uuid4()) if op_id is None else op_id)


def outcome_of(result: V, headers: Mapping[str, str]) -> Outcome[V]:
    """The outcome that the headers of an act's answer tell."""
    how = headers.get("bps-outcome", "committed")
    if how not in _HOW:
        how = "committed"
    why = headers.get("bps-why", "the operation was done before" if how == "repeated" else "")
    known = number_of(headers.get("bps-revision", ""))
    return Outcome(result, cast("Literal['committed', 'repeated', 'noop']", how), why, known)
