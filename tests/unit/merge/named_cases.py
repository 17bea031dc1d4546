"""Small cases with names: what comes out, as a table."""

from __future__ import annotations

from typing import NamedTuple

from tests.unit.merge.cases import Case


class Named(NamedTuple):
    """A case and what it must come to: `text`, or else the `conflicts` as kind and path."""

    name: str
    base: str
    one: str
    other: str
    text: str | None = None
    conflicts: tuple[tuple[str, str], ...] = ()


OBJECTS = "kind: A\nmetadata:{}\nspec: {}\n---\nkind: B\nmetadata: {{name: n, namespace: x}}\n"

CLEAN = (
    Named("edits of two keys", "a: 1\nb: 2\n", "a: 3\nb: 2\n", "a: 1\nb: 4\n", "a: 3\nb: 4\n"),
    Named(
        "edits side by side in one mapping of flow style",
        "k: {a: 1, b: 2}\n",
        "k: {a: 3, b: 2}\n",
        "k: {a: 1, b: 4}\n",
        "k: {a: 3, b: 4}\n",
    ),
    Named("the same edit twice", "a: 1\n", "a: 2\n", "a: 2\n", "a: 2\n"),
    Named(
        "a key deleted and another one edited", "a: 1\nb: 2\n", "b: 2\n", "a: 1\nb: 3\n", "b: 3\n"
    ),
    Named("null is a value", "a: 1\nb: 2\n", "a: null\nb: 2\n", "a: 1\nb: 3\n", "a: null\nb: 3\n"),
    Named(
        "elements of a keyed list by their id, whatever their place",
        "- id: x\n  v: 1\n- id: y\n  v: 1\n",
        "- id: n\n  v: 0\n- id: x\n  v: 1\n- id: y\n  v: 1\n",
        "- id: x\n  v: 1\n- id: y\n  v: 2\n",
        "- id: n\n  v: 0\n- id: x\n  v: 1\n- id: y\n  v: 2\n",
    ),
    Named(
        "a set takes the additions of both",
        "k:\n  - a\n",
        "k:\n  - a\n  - b\n",
        "k:\n  - a\n  - c\n",
        "k:\n  - a\n  - b\n  - c\n",
    ),
    Named(
        "edits of two lines of a block scalar",
        "k: |\n  a\n  b\n  c\n",
        "k: |\n  x\n  b\n  c\n",
        "k: |\n  a\n  b\n  y\n",
        "k: |\n  x\n  b\n  y\n",
    ),
    Named(
        "a comment and a value of one entry", "a: 1\n", "# why\na: 1\n", "a: 2\n", "# why\na: 2\n"
    ),
    Named(
        "a comment at the end of a line and its value",
        "a: 1\nb: 1\n",
        "a: 1  # why\nb: 1\n",
        "a: 2\nb: 1\n",
        "a: 2  # why\nb: 1\n",
    ),
    Named(
        "a new line end",
        "a: 1\r\nb: 1\r\n",
        "a: 2\r\nb: 1\r\n",
        "a: 1\r\nb: 2\r\n",
        "a: 2\r\nb: 2\r\n",
    ),
    Named("no last newline", "a: 1\nb: 1", "a: 2\nb: 1", "a: 1\nb: 2", "a: 2\nb: 2"),
    Named(
        "a comment beside a value that becomes a block scalar",
        "k: v\n",
        "k: |\n  x\n",
        "k: v  # why\n",
        "k: |  # why\n  x\n",
    ),
    Named(
        "blank lines behind a keeping block scalar are data",
        "a:\n  k: |+\n    r\n  z: 1\n",
        "a:\n  k: |+\n    r\n  z: 2\n",
        "a:\n  k: |+\n    r\n\n  z: 1\n",
        "a:\n  k: |+\n    r\n\n  z: 2\n",
    ),
    Named(
        "a blank line before an entry that another side edits",
        "a: 1\nb: 2\n",
        "a: 1\nb: 3\n",
        "a: 1\n\nb: 2\n",
        "a: 1\n\nb: 3\n",
    ),
    Named(
        "the namespace of a document of a stream and a field of it",
        OBJECTS.format(" {name: n, namespace: x}", 1),
        OBJECTS.format(" {name: n}", 1),
        OBJECTS.format(" {name: n, namespace: x}", 2),
        OBJECTS.format(" {name: n}", 2),
    ),
    Named(
        "objects of one name added to two namespaces",
        "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n",
        "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n"
        "---\nkind: C\nmetadata: {name: n, namespace: x}\n",
        "kind: C\nmetadata: {name: n, namespace: y}\n"
        "---\nkind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n",
        "kind: C\nmetadata: {name: n, namespace: y}\n"
        "---\nkind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n"
        "---\nkind: C\nmetadata: {name: n, namespace: x}\n",
    ),
)

CONTESTED = (
    Named(
        "two namespaces for a document of a stream",
        OBJECTS.format("\n  name: n\n  namespace: x", 1),
        OBJECTS.format("\n  name: n\n  namespace: y", 1),
        OBJECTS.format("\n  name: n\n  namespace: z", 2),
        conflicts=(("both_modified", "/#0/metadata/namespace"),),
    ),
    Named(
        "a document deleted and given another namespace",
        OBJECTS.format(" {name: n, namespace: x}", 1),
        "kind: B\nmetadata: {name: n, namespace: x}\n",
        OBJECTS.format(" {name: n, namespace: y}", 1),
        conflicts=(("modify_delete", "/#0"),),
    ),
    Named(
        "two values for one key", "a: 1\n", "a: 2\n", "a: 3\n", conflicts=(("both_modified", "/a"),)
    ),
    Named(
        "a key edited and deleted",
        "a: 1\nb: 1\n",
        "a: 2\nb: 1\n",
        "b: 1\n",
        conflicts=(("modify_delete", "/a"),),
    ),
    Named(
        "one key added with two values",
        "b: 1\n",
        "b: 1\na: 2\n",
        "b: 1\na: 3\n",
        conflicts=(("both_added", "/a"),),
    ),
    Named(
        "null and an edit", "a: 1\n", "a: null\n", "a: 2\n", conflicts=(("both_modified", "/a"),)
    ),
    Named(
        "a scalar made a list and made a mapping",
        "a: 1\n",
        "a: [1]\n",
        "a: {b: 1}\n",
        conflicts=(("type_change", "/a"),),
    ),
    Named(
        "two inserts in one gap of an ordered list",
        "k:\n- a: 1\n- b: 1\n",
        "k:\n- a: 1\n- c: 1\n- b: 1\n",
        "k:\n- a: 1\n- d: 1\n- b: 1\n",
        conflicts=(("list_insert", "/k"),),
    ),
    Named(
        "a key renamed and edited",
        "a: 1\nb: 1\n",
        "c: 1\nb: 1\n",
        "a: 2\nb: 1\n",
        conflicts=(("rename_modify", "/a"),),
    ),
    Named(
        "an anchor changed and an alias added",
        "a: &x 1\nb: 1\n",
        "a: &x 2\nb: 1\n",
        "a: &x 1\nb: *x\n",
        conflicts=(("anchor", "/a"),),
    ),
    Named(
        "two comments on one entry",
        "# w\na: 1\n",
        "# x\na: 1\n",
        "# y\na: 1\n",
        conflicts=(("comment", "/a"),),
    ),
    Named(
        "one line of a block scalar edited twice",
        "k: |\n  a\n",
        "k: |\n  b\n",
        "k: |\n  c\n",
        conflicts=(("both_modified", "/k"),),
    ),
)

SMALL = tuple(Case(each.base, each.one, each.other, each.base) for each in (*CLEAN, *CONTESTED))
