"""What the merge says of a text that it cannot read."""

from __future__ import annotations

import pytest

from bps.merge.parse import parse, validate
from bps.merge.refusals import Unreadable
from bps.merge.source import Source


@pytest.mark.parametrize("read", [parse, validate])
def test_a_character_that_is_not_allowed_is_named_with_its_place(read: object) -> None:
    assert callable(read)
    with pytest.raises(Unreadable) as refusal:
        read(Source("it", "a: é\nb: é\x07\n"))
    error = refusal.value
    assert (error.line, error.column) == (2, 5)
    assert error.what == "not YAML: the character U+0007 is not allowed"
