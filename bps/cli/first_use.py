"""The steps of `bps init`: what has to be made on this machine, then one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bps.api.issuing import new_secret
from bps.api.setup import InitView
from bps.bootstrap import Settings, default_signing_key_file, lead
from bps.clock import SystemClock
from bps.identity.token_text import Token
from bps.keyring.read import read_registry
from bps.setup.first_use import FirstUse, SetUp, lacks_signer
from bps.writepath.command import Outcome
from bps.writepath.preview import outcome_if_done

if TYPE_CHECKING:
    from bps.core.ports import Store
    from bps.keyring.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Who sets the store up, and how. `key_file` None: the user's own."""

    principal: str
    operation: str
    initiative: str
    key_file: str | None

    async def take(self, store: Store, settings: Settings) -> Outcome[InitView]:
        """Set the store up as its leader; where nothing lacks, that is said without leading.

        Raises:
            ConfigError: the key file cannot be read or made.
            NotLeader, SchemaTooNew: see `bps.bootstrap.lead`.
        """
        token = Token.generate()
        outcome = await self._nothing_lacks(store, token)
        if outcome is None:
            async with lead(store, settings, initialise=False) as write_path:
                key = await self._signing_key(store)
                outcome = await write_path.execute(self._command(token, key))
        view = InitView.of(outcome.result, token)
        return Outcome(view, outcome.how, outcome.why, outcome.revision)

    async def _nothing_lacks(self, store: Store, token: Token) -> Outcome[SetUp] | None:
        """What the store has, where nothing has to be made: that needs no leadership."""
        if await _lacks_signer(store):
            return None
        return await outcome_if_done(store, SystemClock(), self._command(token, None))

    def _command(self, token: Token, key: PublicKey | None) -> FirstUse:
        return FirstUse(
            self.principal,
            self.operation,
            self.principal,
            new_secret(token),
            key,
            self.initiative,
        )

    async def _signing_key(self, store: Store) -> PublicKey | None:
        """The key to register, made durably before it is; None where the store has a signer."""
        if not await _lacks_signer(store):
            return None

        from bps.keyring.private_key import read_or_make_private_key  # noqa: PLC0415 - heavy

        file = default_signing_key_file() if self.key_file is None else Path(self.key_file)
        return read_or_make_private_key(file).public


async def _lacks_signer(store: Store) -> bool:
    return lacks_signer(await read_registry(store))
