"""Text for people, as every edge takes it: printable, bounded, and kept as it is."""

from __future__ import annotations

from typing import Final

from bps.core.errors import InvalidInput

MAX_TEXT: Final = 2_000
MAX_LINE: Final = 200


def is_printable(text: str) -> bool:
    """Whether it is printable characters and line feeds."""
    return all(character.isprintable() or character == "\n" for character in text)


def free_text(text: str, what: str) -> str:
    """A reason or summary: printable characters and line feeds, at most 2,000.

    Raises:
        InvalidInput: it is longer, or holds something else.
    """
    if len(text) > MAX_TEXT or not is_printable(text):
        msg = f"The {what} must be at most {MAX_TEXT} printable characters."
        raise InvalidInput(msg, field=what)
    return text


def needed_text(text: str, what: str) -> str:
    """As `free_text`, but it has to say something.

    Raises:
        InvalidInput: it is empty, too long, or holds something else.
    """
    if not text.strip():
        raise InvalidInput(f"The {what} is empty.", field=what).advising(
            f"Say why; the {what} is kept, and told to others. Nothing was written."
        )
    return free_text(text, what)


def one_line(text: str, what: str) -> str:
    """A title or comment: printable characters on one line, at most 200.

    Raises:
        InvalidInput: it is longer, or holds something else.
    """
    if len(text) > MAX_LINE or not text.isprintable():
        msg = f"The {what} must be at most {MAX_LINE} printable characters on one line."
        raise InvalidInput(msg, field=what)
    return text
