"""HEAD is GET without its content (RFC 9110, 9.3.2): every route of GET answers it, none names it.

A HEAD costs what its GET costs but for sending; only routes that would wait ask `is_head` first.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import Scope

_MARK = "bps.head"


def as_get(scope: Scope) -> Scope:
    """The scope in which routes see a HEAD as the GET that it stands for."""
    return {**scope, "method": "GET", _MARK: True} if scope["method"] == "HEAD" else scope


def is_head(request: HTTPConnection) -> bool:
    """Whether nobody will see the content of the answer."""
    return _MARK in request.scope
