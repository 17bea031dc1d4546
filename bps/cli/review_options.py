"""Options of `bps review ...`, and a reviewer's own value from standard input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bps.cli.session import read_limited
from bps.core.errors import InvalidInput

ReviewArg = Annotated[str, typer.Argument(help="Review id, such as EP-42-RV1.", metavar="REVIEW")]
IfMatchOption = Annotated[
    str | None, typer.Option(help="ETag of the review as you saw it; refuses where it changed.")
]
SetOption = Annotated[
    str | None,
    typer.Option("--set", help="A value of your own, as YAML; - reads standard input."),
]
_MAX_BYTES = 65_536
"""As much as one review keeps of decisions."""


def typed(given: str | None) -> str | None:
    """The YAML of `--set`: what is given, or for `-` standard input, of at most 64 KiB of UTF-8.

    Raises:
        InvalidInput: it cannot be read, is longer, or is no UTF-8.
    """
    if given != "-":
        return given
    data = read_limited(Path(given), _MAX_BYTES, "The value")
    if len(data) > _MAX_BYTES:
        raise InvalidInput(f"The value has more than {_MAX_BYTES} bytes.", field="text")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidInput("The value is not UTF-8.", field="text") from None
