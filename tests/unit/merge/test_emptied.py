"""Collections that several editors emptied together."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution


@pytest.mark.parametrize("blanks", [" ", "\t", "\t "])
@pytest.mark.parametrize("start", ["k: ", "- "])
def test_anchor_tag_and_comment_stay_behind_whatever_blanks(start: str, blanks: str) -> None:
    base = f"{start}!t &a{blanks}# c\n  x: 1\n  y: 2\n"
    one, other = base.replace("  x: 1\n", ""), base.replace("  y: 2\n", "")
    result = merge(base, [Contribution("A", base, one), Contribution("B", base, other)])
    assert result.text == f"{start}!t &a {{}}  # c\n"
