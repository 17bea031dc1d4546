"""Records of a list that cannot be read: they do not hide the others, and are told by name."""

from __future__ import annotations

from collections.abc import Mapping

from bps.core.errors import IntegrityError

_SHOWN = 10


def unreadable(
    what: str, errors: Mapping[str, IntegrityError], *, others: str = "listed"
) -> IntegrityError:
    """One error for all of `errors`, by plan, of the kind of the first; `what` is missing of each.

    `others` says what was done with all that can be read.
    facts: plans, up to 100. Raises ValueError: there is none.
    """
    if not errors:
        msg = "nothing is unreadable"
        raise ValueError(msg)
    names = list(errors)
    told = " ".join(f"{name}: {errors[name].message}" for name in names[:_SHOWN])
    left = len(names) - _SHOWN
    more = f" And {left} more." if left > 0 else ""
    counted = f"1 {what}" if len(names) == 1 else f"{len(names)} {what}s"
    kind = type(errors[names[0]])
    msg = f"{counted} cannot be read, and all others are {others}. {told}{more}"
    return kind(msg, plans=[*names[:100]]).advising(
        f"Look into each: `bps verify {names[0]}`, `bps replay {names[0]}`."
    )
