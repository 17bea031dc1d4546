"""What hypothesis chooses for the cases of the merge."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st


@cache
def numbers(below: int) -> st.SearchStrategy[int]:
    """From 0 up; made once for each bound, as a case draws hundreds of them."""
    return st.integers(0, below - 1)
