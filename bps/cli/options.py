"""Options that several commands share, declared once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bps.cli.output import Format
from bps.core import ids
from bps.core.errors import InvalidInput

T = TypeVar("T", bound=Hashable)

MAX_PLANS = 1_000
MAX_BRANCHES = 255
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")

Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the data.")]
Standalone = Annotated[
    bool,
    typer.Option(
        "--standalone",
        envvar="BPS_STANDALONE",
        help="Campaign, act on the store directly, resign: where no service is used.",
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
File = Annotated[
    Path, typer.Argument(help="Blueprint file; - reads standard input.", metavar="BLUEPRINT")
]


def positive_number(text: str, what: str) -> int:
    """A version or event number: 1 to 2^63 - 1, in plain decimal digits; `+1` or `1_0` are none.

    Raises:
        InvalidInput: it is something else.
    """
    if _NUMBER.fullmatch(text) and (number := int(text)) < 2**63:
        return number
    raise InvalidInput(f"{text[:60]!a} is no {what} number; one looks like 7.", field=what)


def chosen_plans(plans: Sequence[str] | None) -> list[str]:
    """The plans named on the command line, each once; empty means all.

    Raises:
        InvalidId: one is no plan id.
        InvalidInput: more than 1,000 are named.
    """
    return distinct((ids.plan_id(plan) for plan in plans or ()), MAX_PLANS, "plans")


def distinct(values: Iterable[T], limit: int, what: str) -> list[T]:
    """The values in their order, each once.

    Raises:
        InvalidInput: they are more than `limit`.
    """
    found = list(dict.fromkeys(values))
    if len(found) > limit:
        raise InvalidInput(f"At most {limit} {what} can be named at once.", field=what)
    return found
