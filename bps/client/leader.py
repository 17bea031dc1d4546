"""Where to write instead: only where an answer says so, and never less protected."""

from __future__ import annotations

from urllib.parse import urlsplit

from bps.client.target import Target
from bps.core.errors import BpsError, ConfigError, NotLeader


def leader_url(refusal: BpsError, asked: Target) -> str | None:
    """The leader's URL that a refusal names; None where the request may not go there.

    A token goes from https to https only, and over http to this machine only.
    """
    url = refusal.facts.get("url")
    if not isinstance(refusal, NotLeader) or not isinstance(url, str):
        return None
    try:
        named = Target.of(url, token=asked.token)
    except ConfigError:
        return None
    same = urlsplit(named.url).scheme == urlsplit(asked.url).scheme
    return named.url if same else None
