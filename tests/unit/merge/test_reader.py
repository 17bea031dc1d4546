"""A version that is read in chunks is what a parse of it gives, and so is every merge."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge import engine, reader
from bps.merge.parse import MAX_DEPTH, parse
from bps.merge.reader import Reader
from bps.merge.records import Contribution, Merged
from bps.merge.refusals import Unreadable
from bps.merge.source import Document, Source
from tests.unit.merge.cases import Case, drawn_case
from tests.unit.merge.choosing import numbers
from tests.unit.merge.sightings import assert_read_alike, drawn_text, hurt, seen
from tests.unit.merge.test_laws import LAWFUL

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
REAL_CASES = "BPS_MERGE_CASES"
WHOLE = 10**9
"""Longer than any text: nothing is read in chunks."""

BASE = """\
# head

name: x
"quoted": y
tasks:
# odd comment at zero
  # lead
  - id: a
    text: |
      body
      # no comment
        deeper
    # inner trailing
  # outer trailing
 # odd column

  - id: b   # end of line
    plain: one
      - two
      four
    flow: [1,
      2, {a: b}]

  # detached

  - id: c
    fold: >-
      a

      b


      # deep after blanks
    q: "multi
      - looks like an item
      line"
  -
    id: d
    e:
    - x
    - y
    f:

# between
indentless:
- one
- two: 2
  three: 3
# trailing of indentless
- - nested
  - seq
-
- last

empty:
scalar: |
  lit
 # less indented comment
# column zero
last: {a: 1}

# detached at the end

"""
REGULAR = {
    "an entry is edited": ("four\n", "five\n"),
    "an entry comes": (
        "  # outer trailing\n",
        "  - id: n\n    k: |\n      t\n  # outer trailing\n",
    ),
    "an entry goes": ('"quoted": y\n', ""),
    "a key comes with no value": ("empty:\n", "empty:\nfresh:\n"),
    "a scalar becomes a list without indent": ("empty:\n", "empty:\n- a\n- b\n"),
    "a comment moves to an odd column": ("  # detached\n", " # detached\n"),
    "a block scalar ends in a comment": ("  lit\n", "  lit\n\n   # c\n"),
    "a key is there twice": ("empty:\n", "empty:\nempty:\nname: x\n"),
    "the last line lacks its end": ("\n# detached at the end\n\n", ""),
    "letters beyond ASCII": ("name: x", "nämé: '☃ 漢字'"),
    "a question is asked": ("name: x", "name: really? yes"),
    "a dash stands alone": ("-\n- last", "-\n-\n- last"),
}
HOSTILE = {
    "a quote opens over entries": ("name: x\n", 'name: "x\n'),
    "a quote opens and closes over entries": ("indentless:\n", 'open: "\n- one\n"\nindentless:\n'),
    "a quote holds lines like keys": ("empty:\n", 'open: "\nempty:\nname: x"\n'),
    "a flow list has an item at column zero": ("last: {a: 1}", "last: [a,\nb: 1,\nc]"),
    "an explicit key": ("name: x\n", "? name\n: x\n"),
    "an explicit key inside": ("    four\n", "    ? g\n"),
    "an explicit key without value at the end": ("    f:\n", "    f:\n      ? g\n"),
    "an anchor and its alias": ("name: x", "name: &n x\nother: *n"),
    "blank lines that are kept": ("  lit\n", "  lit\n\n\nkept: |+\n  a\n\n\n"),
    "a second document": ("empty:\n", "---\nempty:\n"),
    "an ended document": ("# detached at the end\n", "...\n"),
    "a directive behind content": ("empty:\n", "%YAML 1.2\nempty:\n"),
    "a document begins on its marker": ("# between\n", "--- a\n"),
    "a directive": ("# head\n", "%YAML 1.2\n---\n"),
    "a tab before a key": ("empty:\n", "\tempty:\n"),
    "a tab behind a dash": ("  - id: b ", "  -\tid: b "),
    "a carriage return": ("name: x\n", "name: x\r\n"),
    "a byte order mark": ("# head\n", "\ufeff# head\n"),
    "a line at a smaller column": ("    plain: one\n", " plain: one\n"),
    "another kind of collection": ("indentless:\n- one\n", "indentless:\n  one: 1\n"),
    "the list moves to the right": ("  - id: a\n", "    - id: a\n"),
    "a tag before the list": ("indentless:\n", "indentless: !t\n"),
    "an anchor before the list": ("indentless:\n", "indentless: &l\n"),
    "nothing is left": (BASE, "# nothing\n"),
    "nested too deep": ("    f:\n", f"    f: {'[' * (MAX_DEPTH - 2)}{']' * (MAX_DEPTH - 2)}\n"),
}


def changed(edit: tuple[str, str]) -> str:
    assert BASE.count(edit[0]) == 1
    return BASE.replace(*edit)


@pytest.fixture(params=[0, WHOLE], ids=["at once", "when looked at"])
def everything_is_cut(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    cut(monkeypatch, 0, request.param)


def cut(patch: pytest.MonkeyPatch, smallest: int, large: int = 0) -> None:
    patch.setattr(reader, "SMALLEST", smallest)
    patch.setattr(reader, "LARGE", large)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that a Reader had parsed."""
    texts: list[str] = []

    def spy(source: Source, depth: int = 0) -> list[Document]:
        if source.label != "entries":
            texts.append(source.text)
        return parse(source, depth)

    monkeypatch.setattr("bps.merge.parse.parse", spy)
    return texts


def merged(case: Case, patch: pytest.MonkeyPatch, smallest: int, large: int) -> Merged | str:
    cut(patch, smallest, large)
    contributions = [Contribution("one", case.base, case.one)]
    contributions.append(Contribution("other", case.base, case.other))
    try:
        return engine.merge(case.third or case.base, contributions)
    except Unreadable as error:
        return str(error.args)


def assert_merged_alike(case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = merged(case, patch, WHOLE, WHOLE)
        assert merged(case, patch, 0, 0) == whole, repr(case)
        assert merged(case, patch, 0, WHOLE) == whole, repr(case)


@pytest.mark.usefixtures("everything_is_cut")
@pytest.mark.parametrize("edit", REGULAR.values(), ids=REGULAR)
def test_a_regular_version_is_read_alike_and_not_parsed(
    edit: tuple[str, str], parsed: list[str]
) -> None:
    version = changed(edit)
    assert_read_alike([BASE, version, BASE])
    assert version not in parsed


@pytest.mark.usefixtures("everything_is_cut")
@pytest.mark.parametrize("edit", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_version_is_read_or_refused_alike(edit: tuple[str, str]) -> None:
    version = changed(edit)
    assert_read_alike([BASE, version, BASE])
    assert_read_alike([version, BASE, version])


@pytest.mark.usefixtures("everything_is_cut")
def test_a_document_behind_its_marker_is_read_in_chunks(parsed: list[str]) -> None:
    base = f"# about\n---\n{BASE}"
    version = base.replace("four", "five")
    assert_read_alike([base, version])
    assert version not in parsed


@pytest.mark.usefixtures("everything_is_cut")
@pytest.mark.parametrize(
    ("base", "version"),
    [
        ("k:\n  - a\n  - b\nz: 1\n", "k: |\n  - a\n  - b\nz: 1\n"),
        ("k:\n  - a\n  - b\nz: 1\n", 'k: "\n  - a\n  - b"\nz: 1\n'),
        ("k:\n  a: 1\n  b: 2\nz: 1\n", "k:\n  a: 1\nz: 1\n  \n# c\n"),
        ("- a\n- b: 1\n- c\n", "- a\n-\n- b: 1\n  c:\n-\n- c"),
        ("  a: 1\n  b: 2\n  c: 3\n", "  a: 1\n  b: 2\n   # d\n  c: 3"),
    ],
)
def test_the_same_lines_in_another_place_are_read_alike(base: str, version: str) -> None:
    assert_read_alike([base, version, base])


@pytest.mark.usefixtures("everything_is_cut")
def test_tags_that_a_directive_declares_are_read_alike() -> None:
    base = f"%TAG ! tag:example.org,2000:\n---\n{BASE}"
    assert_read_alike([base, base.replace("name: x", "name: !t x")])


@pytest.mark.usefixtures("everything_is_cut")
def test_two_edited_lists_below_one_key_are_read_alike() -> None:
    base = "".join(f"k:\n  - a{i}\n  - b{i}\nm{i}: 1\n" for i in range(3))
    assert_read_alike([base, base.replace("a1", "x"), base.replace("b", "y")])


@pytest.mark.usefixtures("everything_is_cut")
@pytest.mark.parametrize("edit", REGULAR.values(), ids=REGULAR)
def test_a_result_is_parsed_only_if_its_events_do_not_add_up(
    edit: tuple[str, str], monkeypatch: pytest.MonkeyPatch, parsed: list[str]
) -> None:
    version = changed(edit)
    for around, whole in ((6, 0), (7, 1)):
        monkeypatch.setattr(reader, "_AROUND", around)
        reading = Reader()
        reading.read(Source("base", BASE + BASE))
        reading.read_result(Source("the result", version + BASE))
        assert parsed.count(version + BASE) == whole


@LAWFUL
@given(st.data())
def test_drawn_versions_are_read_and_merged_alike(data: st.DataObject) -> None:
    case = drawn_case(lambda below: data.draw(numbers(below)))
    with pytest.MonkeyPatch.context() as patch:
        for large in (0, WHOLE):
            cut(patch, 0, large)
            assert_read_alike([case.base, case.one, case.other, case.third])
    assert_merged_alike(case)


@pytest.mark.parametrize("name", ["BASE", *sorted(path.name for path in SAMPLES.glob("*.yaml"))])
def test_hurt_versions_are_read_and_merged_alike(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = BASE if name == "BASE" else (SAMPLES / name).read_text(encoding="utf-8")
    base = "".join(text.splitlines(keepends=True)[:80])
    for seed in range(60):
        random = Random(seed)
        one, other, third = (hurt(random, base) for _ in range(3))
        case = Case(base, one, other, third)
        cut(monkeypatch, 0, WHOLE if seed % 2 else 0)
        assert_read_alike([case.base, case.one, case.other, case.third])
        assert_merged_alike(case)


def test_texts_of_any_lines_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3_000):
        random = Random(seed)
        base = "a: 1\n" * (seed % 2) + drawn_text(random)
        cut(monkeypatch, 0, WHOLE if seed % 4 > 1 else 0)
        assert_read_alike([base, hurt(random, base), drawn_text(random), hurt(random, base)])


@pytest.mark.skipif(REAL_CASES not in os.environ, reason=f"{REAL_CASES} names no directory")
def test_real_cases_are_merged_alike() -> None:
    found = [path.parent for path in Path(os.environ[REAL_CASES]).glob("*/base.yaml")]
    assert found
    for path in found:
        base, ours, theirs = (
            (path / f"{name}.yaml").read_bytes().decode() for name in ("base", "ours", "theirs")
        )
        assert_merged_alike(Case(base, ours, theirs))
        assert_merged_alike(Case(base, theirs, ours, ours))


@pytest.mark.usefixtures("everything_is_cut")
def test_the_sight_of_a_node_is_not_that_of_its_model() -> None:
    reading = Reader()
    reading.read(Source("base", BASE))
    moved = f"# longer\n{BASE}"
    assert seen(reading.read, moved) == seen(parse, moved)
    assert seen(reading.read, moved) != seen(parse, BASE)
