"""The second opinion: where a merge by lines means something else, a person should look.

Source: design, "Merge": of 4,456 real merges that were clean both ways, 9 differed in their data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bps.merge.lines import merge_lines, settled_lines, split_lines
from bps.merge.records import CANONICAL, Contribution
from bps.merge.refusals import Unreadable


def finding(
    canonical: str,
    contributions: Sequence[Contribution],
    result: str,
    data_of: Callable[[str], object],
) -> str | None:
    """Compare a clean result with what diff3 on the lines of the whole texts gives.

    Args:
        canonical: what was merged into; an editor of its own where it differs from the base.
        contributions: all that were merged. Only those with one common base can be compared.
        result: the text that the merge gave.
        data_of: what a text means, for comparison with `==`; raises Unreadable.

    Returns:
        A sentence for the person who should look, or None: the lines conflict, or are not YAML
        together, or mean the same, or there is more than one base.

    Raises:
        Unreadable: by `data_of`, of `result` itself.
    """
    bases = {contribution.base for contribution in contributions}
    if len(bases) != 1:
        return None
    base = bases.pop()
    texts = [contribution.text for contribution in contributions]
    labels = [contribution.label for contribution in contributions]
    if canonical != base:
        texts.append(canonical)
        labels.append(CANONICAL)
    lines = settled_lines(merge_lines(split_lines(base), [split_lines(text) for text in texts]))
    if lines is None:
        return None
    by_lines = "".join(lines)
    if by_lines == result:
        return None
    meant = data_of(result)
    try:
        meant_by_lines = data_of(by_lines)
    except Unreadable:
        return None
    if meant == meant_by_lines:
        return None
    return (
        f"The changes of {', '.join(labels)} also merge line by line without a conflict, but to "
        "other data: a person should compare the two results."
    )
