"""Showing results: one model or a list of them, as table, JSON or YAML."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bps.core.errors import ResultNotShown

if TYPE_CHECKING:
    from pydantic import BaseModel

_PIECE = 1_000
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Format(StrEnum):
    """How data are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def note(text: str) -> None:
    """Progress, for a human; stderr. Control characters but line feeds are escaped."""
    sys.stderr.write("\n".join(map(cell, text.split("\n"))) + "\n")


@contextmanager
def printing() -> Iterator[None]:
    """Around all that prints on stdout; what was printed has left this process at its end.

    Raises:
        BrokenPipeError: the reader went away.
        ResultNotShown: stdout takes no more.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise not_shown(error) from None


def not_shown(error: OSError) -> ResultNotShown:
    """Why stdout takes no more, as a named error."""
    return ResultNotShown(
        f"The result could not be printed: {error.strerror or 'no reason given'}."
    )


def drop_output() -> None:
    """Let what could not be written not fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(data: BaseModel | Sequence[BaseModel], form: Format, columns: Sequence[str] = ()) -> None:
    """Print `data` on stdout. `columns` choose and order the fields of a list's table."""
    if isinstance(data, Sequence):
        plain: Any = [each.model_dump(mode="json") for each in data]
    else:
        plain = data.model_dump(mode="json")
    show_plain(plain, form, columns)


async def show_stream(
    data: AsyncIterable[BaseModel],
    form: Format,
    columns: Sequence[str],
    row: Callable[[BaseModel], dict[str, Any]] | None = None,
) -> None:
    """Print a list that may be long: as `show` does, in pieces of 1,000; memory is flat.

    `row` makes a table's row where that is more than the model's own fields.
    """
    as_row = row if row is not None and form is Format.TABLE else None
    rows: list[Any] = []
    shown = False
    async for each in data:
        rows.append(as_row(each) if as_row else each.model_dump(mode="json"))
        if len(rows) == _PIECE:
            _show_piece(rows, form, columns, first=not shown)
            rows, shown = [], True
    if rows or not shown:
        _show_piece(rows, form, columns, first=not shown)
    if form is Format.JSON:
        with printing():
            sys.stdout.write("\n]\n")


def _show_piece(
    rows: Sequence[dict[str, Any]], form: Format, columns: Sequence[str], *, first: bool
) -> None:
    if form is not Format.JSON:
        show_plain(rows, form, columns)
        return
    import orjson  # noqa: PLC0415 - only where used

    items = orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()
    with printing():
        sys.stdout.write(("[" if first else ",") + items[1:-1].rstrip())


def show_plain(plain: Any, form: Format, columns: Sequence[str] = ()) -> None:  # noqa: ANN401
    """Print JSON-shaped data on stdout. Raises ResultNotShown, BrokenPipeError."""
    with printing():
        _write(plain, form, columns)


def _write(plain: Any, form: Format, columns: Sequence[str]) -> None:  # noqa: ANN401
    if form is Format.JSON:
        import orjson  # noqa: PLC0415 - only where used

        sys.stdout.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode() + "\n")
    elif form is Format.YAML:
        from bps.cli.yaml_text import dump_yaml  # noqa: PLC0415 - only where used

        dump_yaml(plain, sys.stdout)
    elif isinstance(plain, dict):
        named = dict(_for_people(name, value) for name, value in plain.items())
        width = max(map(len, named), default=0)
        for name, value in named.items():
            sys.stdout.write(f"{_bold(name.ljust(width))}  {cell(value)}\n")
    else:
        _table(plain, columns)


def _for_people(name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - any JSON value
    """Instants as dates: `published_ms` is shown as `published_at`."""
    if not name.endswith("_ms") or not (value is None or isinstance(value, int)):
        return name, value
    if value is None:
        return name.removesuffix("_ms") + "_at", None
    from bps.plans.cloudevents import rfc3339  # noqa: PLC0415 - only where used

    return name.removesuffix("_ms") + "_at", rfc3339(value)


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """Aligned columns without borders; never cut, so that it can be read by other programs."""
    chosen = list(columns) or (list(rows[0]) if rows else [])
    cells = [[cell(_for_people(name, row.get(name))[1]) for name in chosen] for row in rows]
    chosen = [_for_people(name, 0)[0] for name in chosen]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(chosen)]
    header = "  ".join(
        name.upper().ljust(width) for name, width in zip(chosen, widths, strict=True)
    )
    if chosen:
        sys.stdout.write(_bold(header.rstrip()) + "\n")
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


def cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as one cell of a table: on one line, without control characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(each) for each in value) or "-"
    if isinstance(value, dict):
        return " ".join(f"{cell(name)}={cell(each)}" for name, each in value.items())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))


def _bold(text: str) -> str:
    plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else f"{_BOLD}{text}{_PLAIN}"
