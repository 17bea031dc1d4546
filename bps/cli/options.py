"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bps.cli.output import Format

Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the data.")]
Standalone = Annotated[
    bool,
    typer.Option(
        "--standalone",
        envvar="BPS_STANDALONE",
        help="Campaign, act on the store directly, resign. Needed until a sidecar runs.",
    ),
]
OpId = Annotated[
    str | None,
    typer.Option(
        "--op-id",
        help="Idempotency key; repeat a command with the same one to learn what became of it.",
    ),
]
PlanArg = Annotated[str, typer.Argument(help="Plan id, such as EP-42.", metavar="PLAN")]
BranchArg = Annotated[
    str,
    typer.Argument(
        help="Branch or RR-plan: 1a2b3c4d, br1a2b3c4d or 'EP-42-RR(br1a2b3c4d)-1'.",
        metavar="BRANCH",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the log.")]
File = Annotated[Path, typer.Argument(help="Blueprint file; - reads standard input.")]
