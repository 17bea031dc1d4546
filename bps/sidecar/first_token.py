"""The first operator's token on a store that nobody can come in to, made by the leader (R12)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from bps.core import ids, keys
from bps.core.errors import BpsError
from bps.core.ports import Clock, Key, Store
from bps.files import Directory
from bps.identity.create import NewSecret
from bps.identity.credential import CredentialRegistry
from bps.identity.token_text import Token
from bps.setup.first_use import FirstUse
from bps.writepath.transact import WritePath

OPERATOR: Final = "operator"
_PRIVATE: Final = 0o600
_LEFT_TO_BE_DONE: Final = (
    "nobody can come in: no valid operator credential exists. Name a [sidecar] first_token_file "
    "and restart, or stop all sidecars and run `bps init --standalone`"
)

_log = logging.getLogger(__name__)


class FirstToken:
    """Before a term takes writes: where no valid operator credential exists, make one or say so.

    The token is in `file` (mode 0600, durably) before its digest is in the store; its text is
    nowhere else. `file` None: nothing is made.
    """

    def __init__(self, store: Store, clock: Clock, file: Path | None) -> None:
        self._store = store
        self._clock = clock
        self._file = file

    async def ensure(self, path: WritePath) -> None:
        """One read; where a token is made, a write too, with `path` of the new term.

        A file that cannot be written is logged, and stops nothing.

        Raises:
            MalformedRecord, SchemaTooNew: the registry of credentials cannot be trusted.
            Whatever `WritePath.execute` raises.
        """
        stored = (await self._store.snapshot([Key(keys.TOKEN_REGISTRY)])).answers[0]
        now_ms = self._clock.now_ms()
        if stored and CredentialRegistry.decode(stored[0].value).has_operator(now_ms):
            return
        if self._file is None:
            _log.warning(_LEFT_TO_BE_DONE)
            return
        token = Token.generate()
        try:
            await asyncio.to_thread(write_private, self._file, f"{token.text()}\n".encode())
        except BpsError as error:
            _log.error(
                "nobody can come in: the first_token_file %s cannot be written (%s)",
                self._file.name,
                error.code,
            )
            return
        command = FirstUse(
            ids.SERVICE_PRINCIPAL,
            f"first-token-{now_ms}",
            OPERATOR,
            NewSecret(token.credential, token.digest),
            None,
        )
        await path.execute(command)
        _log.info("the first operator's token is in the file %s", self._file.name)


def write_private(file: Path, data: bytes) -> None:
    """Let `file` hold `data` with mode 0600, durably; a file that is there is replaced.

    Raises:
        UnsafePath: a symbolic link or something else than a file is in its place.
        ConfigError: the file system refuses.
    """
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Directory.open_root(file.parent, create=False) as directory:
        stale = directory.read(file.name, limit=0)
        if stale is not None:
            # Replacing would keep its mode.
            directory.remove(file.name, stale)
        directory.write_atomically(file.name, data, replacing=None, mode=_PRIVATE)
