"""From bytes to text: encoding and character rules, before any YAML is parsed."""

from __future__ import annotations

import re
from typing import NoReturn

from bps.blueprint.rules import Rule, refuse

# YAML 1.2.2, section 5.2; the four-byte patterns come before the two-byte ones they begin with.
_WIDE_ENCODINGS = (
    ("UTF-32BE", re.compile(rb"\0\0\xfe\xff|\0\0\0[^\0]")),
    ("UTF-32LE", re.compile(rb"\xff\xfe\0\0|[^\0]\0\0\0")),
    ("UTF-16BE", re.compile(rb"\xfe\xff|\0[^\0]")),
    ("UTF-16LE", re.compile(rb"\xff\xfe|[^\0]\0")),
)
_CESU_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")
_BREAK = re.compile(r"\r\n|\r|\n")
# The last two of each plane above the first; a class with them is twenty times slower to search.
_ASTRAL_NONCHARACTERS = "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)
)
_BMP_NONCHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff"
_BMP_REFUSED = re.compile(
    rf"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff{_BMP_NONCHARACTERS}]"
)
_ASTRAL = re.compile(rb"[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]")
_REFUSED = re.compile(f"{_BMP_REFUSED.pattern[:-1]}{_ASTRAL_NONCHARACTERS}]")
_REFUSED_EVEN_ESCAPED = re.compile(rf"[\0{_BMP_NONCHARACTERS}{_ASTRAL_NONCHARACTERS}]")
_PLAIN_ASCII = bytes([9, 10, 13, *range(0x20, 0x7F)])

_AS_UTF_8 = "save the file as UTF-8 without a byte order mark"
_AS_ESCAPE = "remove it, or write it as an escape in a double-quoted string"
_BY_CHARACTER = {
    "\0": (Rule.NUL, "a NUL character", "remove it"),
    "\x85": (Rule.NEXT_LINE, "U+0085, which ends a line in YAML 1.1 and not in 1.2", _AS_ESCAPE),
    "\ufeff": (Rule.BYTE_ORDER_MARK, "a byte order mark (U+FEFF)", _AS_UTF_8),
}
_LINE_SEPARATORS = "\u2028\u2029"
_FIRST_ABOVE_C1 = "\xa0"


def position(text: str, index: int) -> tuple[int, int]:
    """Return line and column (characters, both from 1) of `text[index]`; CR LF is one break."""
    line, start = 1, 0
    for found in _BREAK.finditer(text, 0, index):
        line, start = line + 1, found.end()
    return line, index - start + 1


def decode(data: bytes) -> str:
    """Decode a blueprint and refuse characters that parsers treat differently.

    Raises:
        InvalidBlueprint: not-utf-8, surrogate, byte-order-mark, nul, control-character,
            next-line, line-separator or noncharacter, whichever comes first.
    """
    for name, pattern in _WIDE_ENCODINGS:
        if pattern.match(data):
            what = f"the text is {name}, not UTF-8"
            refuse(Rule.NOT_UTF_8, 1, 1, what, _AS_UTF_8, encoding=name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_undecodable(data, error.start)
    if not data.translate(None, _PLAIN_ASCII):
        return text
    found = (_REFUSED if _ASTRAL.search(data) else _BMP_REFUSED).search(text)
    if found is not None:
        _refuse_character(found[0], *position(text, found.start()))
    return text


def escaped_refusal(value: str) -> tuple[Rule, str] | None:
    """Judge a double-quoted string's value: what even an escape may not bring in, or None."""
    if value.isascii() and "\0" not in value:
        return None
    found = _REFUSED_EVEN_ESCAPED.search(value)
    if found is None:
        return None
    rule = Rule.NUL if found[0] == "\0" else Rule.NONCHARACTER
    return rule, f"an escape for U+{ord(found[0]):04X}"


def _refuse_undecodable(data: bytes, at: int) -> NoReturn:
    line, column = position(data[:at].decode("utf-8"), at)
    if _CESU_SURROGATE.match(data, at):
        hint = "write the character itself in UTF-8 (four bytes)"
        refuse(Rule.SURROGATE, line, column, "half of a UTF-16 surrogate pair", hint)
    what = f"byte 0x{data[at]:02X} is not valid UTF-8"
    refuse(Rule.NOT_UTF_8, line, column, what, _AS_UTF_8, encoding="unknown")


def _refuse_character(char: str, line: int, column: int) -> NoReturn:
    if char in _BY_CHARACTER:
        rule, what, hint = _BY_CHARACTER[char]
    elif char in _LINE_SEPARATORS:
        rule, hint = Rule.LINE_SEPARATOR, _AS_ESCAPE
        what = f"U+{ord(char):04X}, which ends a line in YAML 1.1 and not in 1.2"
    elif char < _FIRST_ABOVE_C1:
        rule, what, hint = (
            Rule.CONTROL_CHARACTER,
            f"control character U+{ord(char):04X}",
            _AS_ESCAPE,
        )
    else:
        rule, hint = Rule.NONCHARACTER, "remove it"
        what = f"U+{ord(char):04X}, which Unicode reserves and never assigns"
    refuse(rule, line, column, what, hint)
