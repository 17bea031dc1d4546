"""What `bps init` prints."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bps.api.tokens import SHOWN_ONCE
from bps.identity.token_text import Token
from bps.setup.first_use import SetUp

OPERATOR_EXISTS = "an operator has a valid credential already"


class InitView(BaseModel):
    """A store that is set up. `secret` is the first operator's whole token, this once.

    `credential` and `signing_key` are what was made now; `why` says why there is no secret.
    """

    model_config = ConfigDict(extra="forbid")

    layout: int
    policy: int
    initialised_ms: int
    initiative: str
    signing_key: str | None
    credential: str | None
    secret: str | None
    why: str | None

    @classmethod
    def of(cls, done: SetUp, token: Token) -> InitView:
        """`token` is shown where it is the one that was made."""
        mine = done.credential == token.credential
        why = None if mine else OPERATOR_EXISTS if done.credential is None else SHOWN_ONCE
        return cls(
            layout=done.layout,
            policy=done.policy,
            initialised_ms=done.initialised_ms,
            initiative=done.initiative,
            signing_key=done.key_id,
            credential=done.credential,
            secret=token.text() if mine else None,
            why=why,
        )
