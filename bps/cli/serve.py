"""`bps serve`: the long-running service."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bps.cli.session import EXIT_INTERRUPTED, refusal, session_of
from bps.core.error_catalogue import EXIT_UNAVAILABLE
from bps.core.errors import BpsError, ConfigError

if TYPE_CHECKING:
    from bps.bootstrap import Settings
    from bps.http.config import ServeConfig
    from bps.http.run import Plan

_LAST_S = 4.8
"""After the signal to stop; whatever hangs then hangs no longer."""
_STDERR = 2


def serve(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file, TOML; see docs/serve.md.")
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="On a laptop: with an etcd of its own.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. Default 8780.")
    ] = None,
) -> None:
    """Serve HTTP until SIGTERM or Ctrl-C; logs go to stderr, one JSON object a line."""
    try:
        settings = session_of(context).settings
        _serve(config, settings, embedded=embedded, host=host, port=port)
    except BpsError as error:
        raise refusal(error, as_json=False) from None


def _serve(
    file: Path | None, settings: Settings, *, embedded: bool, host: str | None, port: int | None
) -> None:
    from bps.http.config import ServeConfig, read_config  # noqa: PLC0415 - heavy
    from bps.http.logs import announce, logging_to  # noqa: PLC0415 - heavy
    from bps.http.run import plan_of  # noqa: PLC0415 - heavy

    config = ServeConfig() if file is None else read_config(file)
    listen = config.listen.model_copy(
        update={
            name: value for name, value in (("host", host), ("port", port)) if value is not None
        }
    )
    config = config.model_copy(update={"listen": listen})
    plan = plan_of(config, _chosen_store(config, settings, embedded=embedded))
    with logging_to(_STDERR, config.log.level) as pipe:
        _run(plan, partial(announce, pipe))


def _chosen_store(config: ServeConfig, settings: Settings, *, embedded: bool) -> Settings:
    """Exactly one store is meant; an etcd of our own only where that is said."""
    if embedded:
        if config.etcd.endpoints:
            msg = "--embedded starts an etcd, but the configuration names members."
            raise ConfigError(msg).advising("Leave --embedded out, or etcd.endpoints in the file.")
        return replace(settings, endpoints=())
    if not (config.etcd.endpoints or settings.endpoints):
        raise ConfigError("No etcd is named.").advising(
            "Use --embedded, a --config with etcd.endpoints, or `bps --etcd HOST:PORT serve`."
        )
    return settings


def _run(plan: Plan, ready: Callable[[str], None]) -> None:
    import uvloop  # noqa: PLC0415 - heavy

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(plan, ready))


async def _until_stopped(plan: Plan, ready: Callable[[str], None]) -> None:
    from bps.http.logs import RequestLines  # noqa: PLC0415 - heavy
    from bps.http.run import Lifetime, run  # noqa: PLC0415 - heavy

    lifetime = Lifetime()
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(
        run(plan, observers=(RequestLines(),), lifetime=lifetime, ready=ready)
    )

    def on_signal() -> None:
        if lifetime.stop.is_set():
            os._exit(EXIT_INTERRUPTED)
        lifetime.stop.set()
        loop.call_later(_LAST_S, os._exit, EXIT_UNAVAILABLE)
        if not lifetime.listening:
            serving.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        await serving
    except asyncio.CancelledError:
        # It was still starting: there is nothing to drain.
        raise typer.Exit(EXIT_INTERRUPTED) from None
