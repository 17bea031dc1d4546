"""A key or id that one editor renamed while another editor changed what it stands for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.fragments import fragment, value_lines
from bps.merge.named_tuple import NamedTuple
from bps.merge.refusals import Unreadable
from bps.merge.run import Change, Path, Run, same
from bps.merge.slots import Slot, moved
from bps.merge.source import MAPPING, SCALAR, Node
from bps.merge.strategies import Cursor

Ident = Hashable
Editor = tuple[str, dict[Ident, Element], dict[Ident, Element]]
"""Label, base, side."""


class Rename(NamedTuple):
    """`label` gave the element `old` the identity `new`; `element` is how it looks there."""

    label: str
    old: Element
    new: Ident
    element: Element


class Renames(NamedTuple):
    """`contested` by the old identity; `agreed` those that all take, and merge what is below.

    `alone`: the old identity by the new one, of those that meet no other editor's change.
    """

    contested: dict[Ident, list[Rename]]
    agreed: dict[Ident, list[Rename]]
    alone: dict[Ident, Ident]


def renames(run: Run, editors: Sequence[Editor]) -> Renames:
    """Renames, and which of them meet another editor's change of the same element.

    A rename is an element gone and another one come in its place that says the same, the identity
    aside, or is the only one there that says mostly the same. One that nobody else touches needs
    no person and is not listed. Where several put one other element of a list in its place that
    element counts as renamed by each, whatever they say.
    """
    found: dict[Ident, list[Rename]] = {}
    replaced: dict[Ident, list[Rename]] = {}
    for label, base, side in editors:
        if base.keys() <= side.keys():
            continue
        from bps.merge.replacements import Replacements  # noqa: PLC0415 - where something is gone

        pairs = Replacements(base, side)
        for into, which in ((found, pairs.alike()), (replaced, pairs.alone())):
            for old, new in which.items():
                into.setdefault(old, []).append(Rename(label, base[old], new, side[new]))
    for old, group in replaced.items():
        if len(group) > 1 and old not in found:
            found[old] = group
    contested: dict[Ident, list[Rename]] = {}
    agreed: dict[Ident, list[Rename]] = {}
    alone: dict[Ident, Ident] = {}
    for old, group in found.items():
        every = [*group, *_by_name(old, group, editors)]
        if _agreed(run, old, every, editors):
            agreed[old] = every
        elif _contested(run, old, every, editors):
            contested[old] = every
        else:
            alone.setdefault(group[0].new, old)
    return Renames(contested, agreed, alone)


def _by_name(old: Ident, group: Sequence[Rename], editors: Sequence[Editor]) -> list[Rename]:
    """Renames by those who lack the old name and added one that another one gave the element."""
    labels = {rename.label for rename in group}
    found: list[Rename] = []
    for label, base, side in editors:
        if label in labels or old not in base or old in side:
            continue
        new = next((e.new for e in group if e.new in side and e.new not in base), None)
        if new is not None:
            found.append(Rename(label, base[old], new, side[new]))
    return found


def _agreed(run: Run, old: Ident, group: Sequence[Rename], editors: Sequence[Editor]) -> bool:
    """Whether there is one new name, and more to merge: several changed what it stands for.

    Those who did not give it that name changed at most its layout, or forked when it had it.
    """
    new = group[0].new
    labels = {rename.label for rename in group}
    if any(rename.new != new for rename in group):
        return False
    relaid = any(
        _relaid(base.get(old), side.get(old))
        for label, base, side in editors
        if label not in labels
    )
    first = group[0].element
    if not relaid and not any(_relaid(first, rename.element) for rename in group):
        return False
    elements = [each for rename in group for each in (rename.old, rename.element)]
    if any(each.key is not None and not _plain(each) for each in elements):
        return False
    for label, base, side in editors:
        if old not in base:
            if old in side:
                return False
        elif new in base:
            return False
        elif label in labels:
            if old in side or new not in side:
                return False
        elif new in side or run.differs(base[old], side.get(old)):
            return False
    return True


def _relaid(one: Element | None, other: Element | None) -> bool:
    """Whether an element that two versions have has other lines, or blank ones before it."""
    if one is None or other is None:
        return False
    return not same(one, other) or one.gap_text != other.gap_text


def _plain(entry: Element) -> bool:
    """Whether an entry begins with its key, in one line: no anchor, no tag, no `?`."""
    key = entry.key
    if key is None or key.kind != SCALAR or (key.anchor, key.tag) != (None, None):
        return False
    return entry.start == key.start and "\n" not in key.text


def under_new_name(slot: Slot, old: Element, new: Element) -> Slot:
    """A merged entry of a mapping with its new key, where it has its old one."""
    if slot.whole or old.key is None or new.key is None or not slot.body:
        return slot
    head = slot.body[0]
    texts = sorted((old.key.text, new.key.text), key=len, reverse=True)
    for text in texts:
        if isinstance(head, str) and head[: len(text)] == text:
            rest = head[len(text) :]
            if rest.lstrip(" ").startswith(":"):
                return slot._replace(key=new.key.data, body=(new.key.text + rest, *slot.body[1:]))
    return slot


def proposal(rename: Rename, edited: Element) -> str | None:
    """The other editor's value under the new name, as `=` and YAML, or None."""
    old, new, value = rename.old, rename.element, edited.value
    if value is None or old.value is None or new.value is None:
        return None
    if new.key is not None:
        if old.value.data != new.value.data:
            return None
        text = f"{new.key.text}:{value_lines(value, 0, dash=False)}"
        typed = _typed(text)
        # `|+` may end in empty lines that are its own.
        same = typed is not None and [each.data for each in typed.children[1:]] == [value.data]
        return f"={text}" if same else None
    if value.kind != MAPPING or not value.block:
        return None
    before = {key.data: each for key, each in old.value.pairs()}
    text, start = value.source.text, value.first
    changed = [
        (its, fresh)
        for key, fresh in new.value.pairs()
        for name, its in value.pairs()
        if name.data == key.data and key.data in before and before[key.data].data != fresh.data
    ]
    if len(changed) != 1:
        return None
    its, fresh = changed[0]
    edited_text = text[start : its.start] + fresh.text + text[its.end : value.end]
    return f"={moved(edited_text, -value.column, first_line=False)}"


def quotes_alone(ident: Ident, group: Sequence[Rename]) -> str | None:
    """What to tell of a key or id whose quotes alone changed: it looks the same, and is another."""
    changed = [pair for rename in group for pair in _names(ident, rename)]
    if not changed or any(
        (old.kind, new.kind) != (SCALAR, SCALAR) or (old.value, old.tag) != (new.value, new.tag)
        for old, new in changed
    ):
        return None
    what = "id" if group[0].old.key is None else "key"
    texts = dict.fromkeys(each.text for pair in changed for each in pair)
    return f"only the quotes of the {what} changed ({' to '.join(texts)}); YAML tells the two apart"


def _names(ident: Ident, rename: Rename) -> list[tuple[Node, Node]]:
    """The key before and after, or the fields of an element whose values were and are its id."""
    old, new = rename.old, rename.element
    if old.key is not None and new.key is not None:
        return [(old.key, new.key)]
    if old.value is None or new.value is None or old.value.kind != MAPPING:
        return []
    if not isinstance(ident, tuple) or not isinstance(rename.new, tuple):
        return []
    after = {key.data: value for key, value in new.value.pairs()}
    pairs = [(value, after.get(key.data)) for key, value in old.value.pairs()]
    return [
        (was, its)
        for was, its in pairs
        if its and was.data != its.data and was.data in ident and its.data in rename.new
    ]


def _typed(text: str) -> Node | None:
    """What a proposal says where it is typed; None where it cannot be."""
    try:
        return fragment(text)
    except Unreadable:
        return None


def _contested(
    run: Run,
    ident: Ident,
    group: Sequence[Rename],
    editors: Sequence[Editor],
) -> bool:
    labels = {rename.label for rename in group}
    if len({rename.new for rename in group}) > 1:
        return True
    return any(
        label not in labels and ident in base and run.differs(base[ident], side.get(ident))
        for label, base, side in editors
    )


def merged_proposal(
    run: Run, path: Path, cursor: Cursor, rename: Rename, edit: Change
) -> str | None:
    """The element under its new name with what both did else, as `=` and YAML; None if contested.

    Cost: one more merge of the element.
    """
    if run.doubts or edit.side is None:
        return None
    kept = (run.resolutions, run.conflicts, run.notices, run.origins)
    run.resolutions, run.conflicts, run.notices, run.origins = {}, [], [], []
    changes = [Change(rename.label, rename.old, rename.element), edit]
    slots: list[Slot] = run.merge_entry(run, path, cursor, rename.old, changes, 0)
    contested = bool(run.conflicts)
    run.resolutions, run.conflicts, run.notices, run.origins = kept
    if contested or len(slots) != 1:
        return None
    body = "".join(map(str, under_new_name(slots[0], rename.old, rename.element).body))
    if _typed(body) is None:
        return None
    if rename.old.key is not None:
        return f"={body}"
    value = f" {body.removeprefix('-')}"
    indent = len(value) - len(value.lstrip(" "))
    return None if value[indent] == "\n" else f"={moved(value, -indent, first_line=True)}"
