"""Small pieces of HTML; every text passes `escape` on its way in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from bps.http.reference.style import STYLE

_CODE = re.compile(r"`([^`]*)`")


def page(title: str, body: Iterable[str]) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def prose(text: str) -> str:
    """Text with its `code` marked."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def paragraphs(text: str) -> str:
    """Text whose paragraphs stand apart by an empty line."""
    return "\n".join(f"<p>{prose(part)}</p>" for part in text.split("\n\n") if part.strip())


def block(text: str, *, copy: bool = False) -> str:
    """Preformatted text; with `copy` one click selects all of it."""
    kind = ' class="copy"' if copy else ""
    return f"<pre{kind}>{escape(text, quote=False)}</pre>"


def link(target: str, text: str) -> str:
    """A link; `target` is one of our own paths or fragments."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{top}</tr>\n" + "\n".join(lines) + "\n</table>"
