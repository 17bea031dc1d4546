"""Comments that stand in a result more often than their editors left them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_COMMENT_LINE = r"(?m)^[ \t]*(#[^\n]*\w)"


def doubled_comments(
    result: str, base: str, sides: Sequence[str], typed: str = "", *, clean: bool = True
) -> list[str]:
    """Comments that stand in the result more often than their editors left them.

    Seen where one editor put an entry between a comment and what it belonged to. Only comments
    that no version has twice are counted: of others it cannot be told which one was meant. `typed`
    is what a person decided; its comments are meant.
    Where it is not `clean`, the result is what stands outside of conflicts.
    """
    if clean and len({text.count("#") for text in {result, base, *sides}}) == 1:
        # Nothing came, went or stands twice; an edited comment is none of this.
        return []
    comments, its_base = re.findall(_COMMENT_LINE, result), re.findall(_COMMENT_LINE, base)
    theirs = [re.findall(_COMMENT_LINE, text) for text in sides if text != base]
    if all(each == its_base for each in (comments, *theirs)):
        return []
    asked = Counter(re.findall(_COMMENT_LINE, typed))
    before, *after = versions = [Counter(each) for each in (its_base, *theirs)]
    found = []
    for comment, count in Counter(comments).items():
        changes = [version[comment] - before[comment] for version in after]
        written = sum(change for change in changes if change > 0)
        expected = before[comment] + written + min(0, *changes) + asked[comment]
        if count > expected and all(version[comment] <= 1 for version in versions):
            found.append(comment)
    return found
