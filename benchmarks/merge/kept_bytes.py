"""Whether a merge leaves alone what nobody edited: docs/samples and generated blueprints."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.merge.inputs import SIZES, scattered
from benchmarks.merge.splices import kept_share, spliced, two_sides
from benchmarks.options import Options, say
from bps.merge.engine import merge
from bps.merge.records import Contribution

_SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
_ROUNDS = 20


async def measure(options: Options) -> list[Figure]:
    """The share of bytes outside edited nodes that stay, over 20 random pairs of sides a text."""
    texts = {path.name: path.read_text() for path in sorted(_SAMPLES.glob("*.yaml"))}
    texts |= {
        f"generated, {name}": scattered(size, options.seed).base
        for name, size in SIZES.items()
        if size < max(SIZES.values())
    }
    kept_all = total_all = merges = conflicts = exact = 0
    for name, text in texts.items():
        for number in range(_ROUNDS):
            by_a, by_b = two_sides(text, random.Random(f"{options.seed}-{number}"))
            sides = [Contribution("A", text, spliced(text, by_a))]
            sides.append(Contribution("B", text, spliced(text, by_b)))
            merged = merge(text, sides)
            merges += 1
            if merged.text is None:
                conflicts += 1
                say(f"  {name}, round {number}: {[each.path for each in merged.conflicts]}")
                continue
            splices = [*by_a, *by_b]
            kept, total = kept_share(text, splices, merged.text)
            kept_all, total_all = kept_all + kept, total_all + total
            exact += merged.text == spliced(text, splices)
            if kept < total:
                say(f"  {name}, round {number}: {total - kept} characters lost")
    share = 100 * kept_all / total_all
    return [
        Figure("merges for bytes outside changed nodes", merges),
        Figure("merges of them in conflict, none should be", conflicts, at_most=0),
        Figure("merges of them with the very bytes expected", exact),
        Figure("bytes outside changed nodes unchanged", share, "%", at_least=100),
    ]
