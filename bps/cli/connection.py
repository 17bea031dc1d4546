"""What root options, the environment and contexts say of where to go; the nearer one wins."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bps.cli.way import Origin, Way, way_to_read, way_to_write
from bps.core.errors import ConfigError

if TYPE_CHECKING:
    from bps.client import Target

_TRUE = {"1", "true", "t", "yes", "y", "on"}
"""What Typer takes for a flag's variable that is set."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value with its origin; never shown, as it may be a secret."""

    value: str | None = field(default=None, repr=False)
    origin: Origin = Origin.NOWHERE


def setting_of(context: typer.Context, name: str) -> Setting:
    """The parameter `name` of the command that `context` is of, and who set it."""
    value = context.params.get(name)
    if value is None or value is False:
        return Setting()
    return Setting(str(value), origin_of(context, name))


def origin_of(context: typer.Context, name: str) -> Origin:
    """Who set the parameter `name`: NOWHERE for a default, or one that the command has not."""
    source = context.get_parameter_source(name)
    origins = {"COMMANDLINE": Origin.COMMAND_LINE, "ENVIRONMENT": Origin.ENVIRONMENT}
    return Origin.NOWHERE if source is None else origins.get(source.name, Origin.NOWHERE)


def standalone_from_environment() -> Origin:
    """Reads go where writes go: `BPS_STANDALONE` counts for both."""
    on = os.environ.get("BPS_STANDALONE", "").strip().lower() in _TRUE
    return Origin.ENVIRONMENT if on else Origin.NOWHERE


@dataclass(frozen=True, slots=True)
class Connection:
    """The settings of both ways. Contexts are read from their file only where they matter."""

    url: Setting = Setting()
    context: Setting = Setting()
    token: Setting = Setting()
    token_file: Setting = Setting()
    ca_file: Setting = Setting()
    cert_file: Setting = Setting()
    key_file: Setting = Setting()
    timeout_s: float | None = None
    etcd: Origin = Origin.NOWHERE
    standalone: Origin = Origin.NOWHERE

    def to_read(self) -> Way:
        """Where a reading command goes. Raises ConfigError."""
        return way_to_read(service=self._service(), etcd=self.etcd, standalone=self.standalone)

    def to_write(self, *, standalone: bool) -> Way:
        """Where a command goes that has the option `--standalone`. Raises ConfigError."""
        origin = self.standalone
        if standalone and origin is Origin.NOWHERE:
            origin = Origin.COMMAND_LINE
        service = self._service() if origin is Origin.NOWHERE else self._named
        return way_to_write(service=service, etcd=self.etcd, standalone=origin)

    @property
    def _named(self) -> Origin:
        return max(self.url.origin, self.context.origin)

    def _service(self) -> Origin:
        if self._named is not Origin.NOWHERE or max(self.etcd, self.standalone) > Origin.CONTEXT:
            return self._named

        from bps.cli.contexts import load  # noqa: PLC0415 - only where it may matter

        return Origin.NOWHERE if load().current is None else Origin.CONTEXT

    def target(self) -> Target:
        """The service and the credentials for it. Raises ConfigError."""
        if self.url.origin is self.context.origin is not Origin.NOWHERE:
            msg = "Both a URL and a context are named; name one of them."
            raise ConfigError(msg).advising("Leave --url (BPS_URL) or --context (BPS_CONTEXT) out.")
        if self.url.origin > self.context.origin:
            return self._target(self.url.value or "")
        return self._target_of_context()

    def _target_of_context(self) -> Target:
        from bps.cli.contexts import load  # noqa: PLC0415 - only where used

        found = load().chosen(self.context.value)
        return self._target(
            found.url,
            token=found.token,
            token_file=found.token_file,
            ca_file=found.ca_file,
            cert_file=found.cert_file,
            key_file=found.key_file,
        )

    def _target(
        self,
        url: str,
        *,
        token: str | None = None,
        token_file: str | None = None,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
    ) -> Target:
        """Options and variables win over the context's; a token of a context stays with its URL."""
        from bps.client import Target  # noqa: PLC0415 - heavy

        if max(self.token.origin, self.token_file.origin) is not Origin.NOWHERE:
            of_token = self.token.origin >= self.token_file.origin
            token = self.token.value if of_token else None
            token_file = None if of_token else self.token_file.value
        return Target.of(
            url,
            token=token,
            token_file=_path(token_file),
            ca_file=_path(self.ca_file.value or ca_file),
            cert_file=_path(self.cert_file.value or cert_file),
            key_file=_path(self.key_file.value or key_file),
        )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()
