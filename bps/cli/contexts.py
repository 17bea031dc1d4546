"""Contexts: named services with their credentials, in `config.toml` of the user's own."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bps.core.errors import ConfigError, Exists, InvalidInput, NotFound

MAX_BYTES = 262_144
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CHOOSE = "Choose one of `bps context list`, or add one: `bps context add`."


@dataclass(frozen=True, slots=True)
class Context:
    """One service, as it is stored; paths are text. A token is never in the representation."""

    url: str
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Contexts:
    """All contexts by name, and the one that is used where none is named."""

    by_name: Mapping[str, Context] = field(default_factory=dict)
    current: str | None = None

    def chosen(self, name: str | None) -> Context:
        """The context `name`, or the current one. Raises ConfigError."""
        wanted = self.current if name is None else name
        if wanted is None:
            raise ConfigError("No context is in use.").advising(_CHOOSE)
        found = self.by_name.get(wanted)
        if found is None:
            raise ConfigError(f"There is no context {wanted[:63]!a}.").advising(_CHOOSE)
        return found

    def added(self, name: str, context: Context, *, use: bool) -> Contexts:
        """With `context` as `name`; the first one is in use at once. Raises Exists."""
        if name in self.by_name:
            raise Exists(f"There is a context {name} already.", context=name).advising(
                f"Remove it first (`bps context remove {name}`), or choose another name."
            )
        current = name if use or not self.by_name else self.current
        return Contexts({**self.by_name, context_name(name): context}, current)

    def using(self, name: str) -> Contexts:
        """With `name` in use. Raises NotFound."""
        self.named(name)
        return Contexts(self.by_name, name)

    def without(self, name: str) -> Contexts:
        """Without `name`; where it was in use, none is. Raises NotFound."""
        self.named(name)
        kept = {other: context for other, context in self.by_name.items() if other != name}
        return Contexts(kept, None if self.current == name else self.current)

    def named(self, name: str) -> Context:
        """The context `name`. Raises NotFound."""
        found = self.by_name.get(name)
        if found is None:
            msg = f"There is no context {name[:63]!a}."
            raise NotFound(msg, context=name[:63]).advising(_CHOOSE)
        return found


def context_name(text: str) -> str:
    """A name of a context. Raises InvalidInput."""
    if _NAME.fullmatch(text) is None:
        msg = f"{text[:63]!a} is no name for a context; one looks like laptop or eu-1."
        raise InvalidInput(msg, field="name")
    return text


def config_path() -> Path:
    """`BPS_CONFIG`, or `bps/config.toml` in the user's configuration directory."""
    named = os.environ.get("BPS_CONFIG")
    if named:
        return Path(named)
    from platformdirs import user_config_path  # noqa: PLC0415 - only where used

    return user_config_path("bps", appauthor=False) / "config.toml"


def load() -> Contexts:
    """The stored contexts; none where there is no file.

    Raises:
        ConfigError: others may read or write the file, or it is not one of ours; a key that this
            release does not know is named.
    """
    path = config_path()
    try:
        data = _read_own(path)
    except FileNotFoundError:
        return Contexts()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise ConfigError(f"The contexts in {_shown(path)} cannot be read: {reason}.").advising(
            "Let this user read the file, or name another one by BPS_CONFIG."
        ) from None
    try:
        return parse(data)
    except ConfigError as error:
        raise ConfigError(f"{_shown(path)}: {error.message}").advising(
            error.next_action or "Correct the file, or remove it and add the contexts again."
        ) from None


def _read_own(path: Path) -> bytes:
    """The bytes of a regular file that is ours alone. Raises ConfigError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{_shown(path)} is not a file.")
        if found.st_uid != os.getuid() or found.st_mode & _OTHERS:
            msg = f"{_shown(path)} holds tokens and must be yours alone."
            raise ConfigError(msg).advising(f"chmod 600 {_shown(path)}")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def parse(data: bytes) -> Contexts:
    """The contexts that a file holds. Raises ConfigError, which shows no value."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"it has more than {MAX_BYTES} bytes.")
    try:
        document = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        # Its message would show the line, which may hold a token.
        raise ConfigError("it is not TOML.") from None
    tables = document.pop("contexts", {})
    current = document.pop("current", None)
    _refuse_unknown(document, "", ("current", "contexts"))
    if not isinstance(tables, dict) or not (current is None or isinstance(current, str)):
        raise ConfigError("`contexts` must be tables, `current` a name.")
    by_name = {name: _context(name, table) for name, table in tables.items()}
    if current is not None and current not in by_name:
        raise ConfigError("`current` names no context of the file.")
    return Contexts(by_name, current)


def _context(name: str, table: Any) -> Context:  # noqa: ANN401 - any TOML value
    if _NAME.fullmatch(name) is None or not isinstance(table, dict):
        raise ConfigError(f"`contexts.{name[:63]!a}` is no context.")
    known = [each.name for each in fields(Context)]
    _refuse_unknown({key: value for key, value in table.items() if key not in known}, name, known)
    if "url" not in table:
        raise ConfigError(f"context {name} has no `url`.")
    for key, value in table.items():
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ConfigError(f"`{key}` of context {name} must be text on one line.")
    return Context(**table)


def _refuse_unknown(rest: Mapping[str, object], name: str, known: Sequence[str]) -> None:
    if rest:
        where = f" of context {name}" if name else ""
        unknown = next(iter(rest))[:63]
        nearest = get_close_matches(unknown, known, n=1)
        meant = f"; did you mean {nearest[0]}?" if nearest else "."
        raise ConfigError(f"`{unknown!a}`{where} is no key of this release{meant}").advising(
            f"Correct or remove the key; known are {', '.join(known)}."
        )


def save(contexts: Contexts) -> None:
    """Replace the file, durably and at once, with mode 0600. Raises ConfigError, UnsafePath."""
    from bps.files import Directory  # noqa: PLC0415 - only where used

    path = config_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{_shown(path.parent)} cannot be made: {error.strerror}."
        raise ConfigError(msg) from None
    data = "".join(_lines(contexts)).encode()
    with Directory.open_root(path.parent) as directory:
        replaced = directory.read(path.name, limit=MAX_BYTES)
        if not directory.write_atomically(path.name, data, replacing=replaced, mode=0o600):
            raise ConfigError(f"{_shown(path)} was changed by somebody else just now; try again.")


def _lines(contexts: Contexts) -> Iterator[str]:
    if contexts.current is not None:
        yield f"current = {toml_string(contexts.current)}\n"
    for name, context in sorted(contexts.by_name.items()):
        yield f"\n[contexts.{toml_string(name)}]\n"
        for each in fields(Context):
            value = getattr(context, each.name)
            if value is not None:
                yield f"{each.name} = {toml_string(value)}\n"


def toml_string(text: str) -> str:
    """A TOML 1.0 basic string; all but plain ASCII is escaped.

    Raises:
        ConfigError: it holds half of a surrogate pair, which TOML cannot.
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:  # noqa: PLR2004 - the surrogates
        raise ConfigError("A value is not Unicode text.")
    if character not in {'"', "\\"} and character.isascii() and character.isprintable():
        return character
    return f"\\U{number:08x}"


def _shown(path: Path) -> str:
    return ascii(str(path)[:200])
