"""Law 7 for three to five contributions that forked from several versions of canonical."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bps.merge.records import Kind, Merged
from tests.unit.merge.crowds import Crowd
from tests.unit.merge.measures import kept, same_data, shown, tokens
from tests.unit.merge.oracles import comments, words


def crowd_in_any_order(crowd: Crowd) -> None:
    """Arrival changes neither the status nor what conflicts, nor data, nor comments.

    Where all forked from one text it changes no conflict's id; else the base shown is that of the
    first given, which a promotion's order decides.
    """
    given = crowd.contributions
    first = crowd.merged(given)
    assert crowd.merged(given) == first, "not the same twice"
    contests = contested(crowd, first)
    for order in (given[::-1], (*given[1:], given[0]), (*given[2:], *given[:2])):
        again = crowd.merged(order)
        names = [each.label for each in order]
        assert (again.text is None) == (first.text is None), f"another status as {names}"
        its = contested(crowd, again)
        assert its == contests, f"other conflicts as {names}:\n{contests}\n{its}"
        if first.text is not None and again.text is not None:
            assert same_data(again.text, first.text), f"other data as {names}:\n{again.text}"
            assert comments(again.text) == comments(first.text), f"other comments as {names}"


def contested(
    crowd: Crowd, result: Merged, names: Mapping[str, str] | None = None
) -> list[tuple[object, ...]]:
    """The conflicts for comparison: by id, or by kind and by what every side wants of an entry.

    Ids cover the names, and say nothing where other `names` are given.
    """
    if names is None and len({each.base for each in crowd.contributions}) == 1:
        return sorted((conflict.id,) for conflict in result.conflicts)
    return sorted(
        (
            conflict.kind.value,
            sorted(((names or {}).get(s.branch, s.branch), s.variant.text) for s in conflict.sides),
        )
        for conflict in result.conflicts
        if conflict.kind != Kind.COMMENT
    )


def crowd_under_other_names(crowd: Crowd) -> None:
    """Names decide nothing: others, in another order of the alphabet, give the same bytes."""
    first = crowd.merged(crowd.contributions)
    names = {each.label: f"z{9 - at}" for at, each in enumerate(crowd.contributions)}
    again = crowd.merged([e._replace(label=names[e.label]) for e in crowd.contributions])
    assert again.text == first.text, f"other bytes by other names:\n{again.text}"
    if len({each.base for each in crowd.contributions}) == 1:
        assert shown(first, names) == shown(again, {}), "other conflicts by other names"
    mine, its = contested(crowd, first, names), contested(crowd, again, {})
    assert mine == its, f"other conflicts by other names:\n{mine}\n{its}"


def crowd_loses_nothing(crowd: Crowd) -> None:
    """Law 3 for every contribution, and for canonical's own edits since each base."""
    sides = [(each.base, each.text) for each in crowd.contributions]
    # What canonical added, those who forked later may have taken away again.
    after = [word for base, text in sides for of in (tokens, words) for word in of(base) - of(text)]
    bases = dict.fromkeys(each.base for each in crowd.contributions)
    result = crowd.merged(crowd.contributions)
    kept(result, sides, crowd.outgrown)
    moved = [(base, crowd.canonical) for base in bases if base != crowd.canonical]
    kept(result, [*moved, *sides], (*crowd.outgrown, *after))


def crowd_in_several_promotions(crowd: Crowd) -> None:
    """At once, in two promotions or one by one: the same data, where nothing conflicts."""
    at_once = crowd.merged(crowd.contributions).text
    if at_once is None:
        return
    alone = tuple((each,) for each in crowd.contributions)
    for groups in (crowd.groups, crowd.groups[::-1], alone):
        text: str | None = crowd.canonical
        for group in groups:
            if text is not None:
                text = crowd.merged(group, text).text
        if text is not None:
            split = [[each.label for each in group] for group in groups]
            assert same_data(at_once, text), f"at once\n{at_once}\n--- as {split}\n{text}"


CROWD_LAWS: tuple[Callable[[Crowd], None], ...] = (
    crowd_in_any_order,
    crowd_under_other_names,
    crowd_loses_nothing,
    crowd_in_several_promotions,
)
