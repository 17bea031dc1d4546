"""The stored report tells of every path that a merge changed, held against plain data."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bps.plans.origins import report_in
from bps.plans.read import blueprint
from tests.asynchronous import run
from tests.doubles import PLAN, Scene

Sections = dict[str, dict[str, int]]
sizes = st.lists(st.integers(1, 5), min_size=1, max_size=3)
edits = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 4)), st.none() | st.integers(10, 99), max_size=8
)


@settings(max_examples=60)
@given(shape=sizes, first=edits, second=edits, added=st.integers(0, 2))
def test_the_report_has_every_changed_path_with_whose_change_it_is(
    shape: list[int], first: dict[Any, int | None], second: dict[Any, int | None], added: int
) -> None:
    base = {
        f"s{s}": {"keep": 0, **{f"s{s}k{k}": k for k in range(keys)}}
        for s, keys in enumerate(shape)
    }
    halves = [
        {place: value for place, value in its.items() if place[1] % 2 == parity}
        for parity, its in enumerate((first, second))
    ]
    sides = [changed(base, its, added, name) for its, name in zip(halves, "ab", strict=True)]
    both = {
        section: {
            **{k: v for k, v in base[section].items() if all(k in side[section] for side in sides)},
            **{k: v for s in sides for k, v in s[section].items() if v != base[section].get(k)},
        }
        for section in base
    }
    run(check(base, sides, both))


def changed(base: Sections, its: dict[Any, int | None], added: int, name: str) -> Sections:
    """A side: values changed, entries deleted, and `added` new ones in each section."""
    side = {section: dict(entries) for section, entries in base.items()}
    for (s, k), value in its.items():
        section, entry = f"s{s}", f"s{s}k{k}"
        if entry in side.get(section, {}):
            if value is None:
                del side[section][entry]
            else:
                side[section][entry] = value
    for section, entries in side.items():
        entries.update({f"{section}{name}{n}": n for n in range(added)})
    return side


def text_of(data: Sections) -> bytes:
    lines = [
        f"{section}:\n" + "".join(f"  {key}: {value}\n\n" for key, value in entries.items())
        for section, entries in data.items()
    ]
    return "".join(lines).encode()


def leaves(data: Sections) -> dict[str, int]:
    return {f"/{s}/{key}": value for s, entries in data.items() for key, value in entries.items()}


async def check(base: Sections, sides: list[Sections], both: Sections) -> None:
    scene = await Scene.make(content=text_of(base))
    names = [(await scene.succeed(f"T{i}", text_of(side))).rr_plan for i, side in enumerate(sides)]
    if (await scene.promote()).how == "unchanged":
        assert sides == [base, base]
        return
    version = (await scene.versions())[-1]
    old, new = leaves(base), leaves(both)
    expected = {
        path: (
            [n for n, s in zip(names, sides, strict=True) if leaves(s).get(path) != old.get(path)],
            None if path not in old else str(old[path]),
            None if path not in new else str(new[path]),
        )
        for path in old.keys() | new.keys()
        if old.get(path) != new.get(path)
    }
    if version.origins is None:
        assert base in sides or sides[0] == sides[1]
        event("taken over")
        return
    event("merged")
    report = report_in(await blueprint(scene.memory, PLAN, version.origins), version)
    assert report.left_out == 0
    found = {e.path: (sorted(e.sources), e.before, e.after) for e in report.changes}
    assert found == {path: (sorted(by), *values) for path, (by, *values) in expected.items()}
