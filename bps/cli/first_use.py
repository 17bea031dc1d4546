"""The steps of `bps init`: what has to be made on this machine, then one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bps.api.issuing import new_secret
from bps.api.setup import InitView
from bps.bootstrap import Settings, default_signing_key_file, lead
from bps.identity.token_text import Token
from bps.keyring.registry import Registry, registry_reads
from bps.setup.first_use import FirstUse, lacks_signer
from bps.writepath.command import Outcome

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
        """Set the store up as its leader; resigned again when this returns.

        Raises:
            ConfigError: the key file cannot be read or made.
            NotLeader, SchemaTooNew: see `bps.bootstrap.lead`.
        """
        token = Token.generate()
        async with lead(store, settings, initialise=False) as write_path:
            command = FirstUse(
                self.principal,
                self.operation,
                self.principal,
                new_secret(token),
                await self._signing_key(store),
                self.initiative,
            )
            outcome = await write_path.execute(command)
        view = InitView.of(outcome.result, token)
        return Outcome(view, outcome.how, outcome.why, outcome.revision)

    async def _signing_key(self, store: Store) -> PublicKey | None:
        """The key to register, made durably before it is; None where the store has a signer."""
        counter, stored = (await store.snapshot(registry_reads())).answers
        if not lacks_signer(Registry.from_stored(counter[0] if counter else None, stored)):
            return None

        from bps.keyring.private_key import read_or_make_private_key  # noqa: PLC0415 - heavy

        file = default_signing_key_file() if self.key_file is None else Path(self.key_file)
        return read_or_make_private_key(file).public
