"""Law 9: validators refuse, they never edit. What is published is what was merged, to the byte."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from bps.core.errors import PluginError
from bps.core.ids import ReviewId
from bps.merge import engine
from bps.merge.records import Contribution
from bps.plans.blob import pack
from bps.plans.events import BlueprintPromoted
from bps.promotion.complete import CompleteReview
from bps.workshop.workshop import LocalWorkshop
from tests.asynchronous import asynchronous
from tests.checkout import VARIABLE, python_path
from tests.doubles import PLAN, WHO, Scene
from tests.integration.validation.plugins import distribution, judge

_MEDDLES = """
import gc, sys
say = list(candidate.config['say'])
changed = candidate.merged_text + 'meddled: true\\n'
for data in (candidate.merged, candidate.base, candidate.config, candidate.policy):
    if isinstance(data, dict):
        data.clear()
        data['meddled'] = True
for name in list(candidate.branches):
    try:
        candidate.branches[name] = {'meddled': True}
    except TypeError:
        pass
for name, value in (('merged', {}), ('merged_text', changed), ('base', {})):
    object.__setattr__(candidate, name, value)
for module in [each for name, each in sys.modules.items() if name.startswith('bps.')]:
    for name in ('merge', 'pack', 'digest_of'):
        if hasattr(module, name):
            setattr(module, name, lambda *_, **__: changed)
for held in gc.get_objects():
    if isinstance(held, dict) and held.get('merged_text') is not None:
        held['merged_text'] = changed
print(changed)
return [Finding(Severity(s), '/k1', 'meddled', changed, changed) for s in say]
"""
_ANSWERS = {
    "text": "return 'meddled: true\\n'",
    "data": "return {'merged_text': 'meddled: true\\n', 'text': 'meddled: true\\n'}",
    "candidate": "return candidate",
    "pairs": "return [(Severity.INFO, '/k1', 'a', 'b', 'c')]",
}
_ANY = "\n    config_schema = {}\n"
SOURCE = judge("Meddles", _MEDDLES).replace("(Validator):\n", f"(Validator):{_ANY}") + "".join(
    judge(name.title(), body) for name, body in _ANSWERS.items()
)
BLOCKING = "error"
DRAWN = 8
"""Cases; each judges in a process of its own, which takes a quarter of a second to start."""


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    found = tmp_path_factory.mktemp("site")
    named = {f"t_{name}": name.title() for name in _ANSWERS}
    distribution(found, "t-never-edit", SOURCE, t_meddles="Meddles", **named)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(found))
        yield


def drawn(random: Random) -> tuple[str, list[str]]:
    """A blueprint with some layout of its own, and two or three versions of other keys of it."""
    forms = (
        "k{n}: v{n}  # why {n}",
        "k{n}:   'v{n}'",
        "# {n}\nk{n}:\n- a{n}\n-   b{n}",
        "k{n}: |+\n  v{n}\n",
    )
    entries = [random.choice(forms).format(n=n) for n in range(1, 7)]
    sides = []
    for number in range(random.choice((2, 3))):
        edited = list(entries)
        edited[2 * number] = edited[2 * number].replace("v", "w").replace("a", "c")
        sides.append("\n".join(edited) + "\n")
    return "\n".join(entries) + "\n", sides


@asynccontextmanager
async def scene_of(
    base: str, name: str, workshop: LocalWorkshop, **config: Any
) -> AsyncIterator[Scene]:
    """A plan with this blueprint, whose promotions a validator judges in its real process."""
    scene = await Scene.make(content=base.encode(), workshop=workshop)
    await scene.set_policy(validators=[{"name": name, "config": config}])
    yield scene


async def published(scene: Scene) -> str:
    """The digest of what is canonical now."""
    bodies = [body for _, body in await scene.log() if isinstance(body, BlueprintPromoted)]
    return bodies[-1].digest


@asynchronous
async def test_published_is_what_was_merged_whatever_a_validator_does_and_says() -> None:
    blocked = 0
    async with LocalWorkshop() as workshop:
        for seed in range(DRAWN):
            random = Random(seed)
            base, sides = drawn(random)
            given = [Contribution(f"{at}", base, side) for at, side in enumerate(sides)]
            text = engine.merge(base, given).text
            assert text is not None
            say = [random.choice(("info", "warning", BLOCKING)) for _ in range(random.randrange(4))]
            async with scene_of(base, "t-meddles", workshop, say=say) as scene:
                for at, side in enumerate(sides):
                    await scene.succeed(f"T{at}", side.encode())
                if BLOCKING in say:
                    blocked += 1
                    await scene.refused()
                    assert len(await scene.versions()) == 1
                    await scene.set_policy(validators=[])
                    await scene.path.execute(CompleteReview(WHO, "c", ReviewId(PLAN, 1)))
                else:
                    result = await scene.promote()
                    assert len(result.findings) == len(say)
                assert len(await scene.versions()) == 2
                assert await published(scene) == pack(text.encode()).digest
    assert 0 < blocked < DRAWN


@pytest.mark.parametrize("name", _ANSWERS)
@asynchronous
async def test_where_an_answer_is_no_finding_nothing_is_published(name: str) -> None:
    base = "k1: v1\nk2: v2\n"
    async with LocalWorkshop() as workshop, scene_of(base, f"t-{name}", workshop) as scene:
        await scene.succeed("T1", b"k1: w1\nk2: v2\n")
        await scene.succeed("T2", b"k1: v1\nk2: w2\n")
        with pytest.raises(PluginError) as refusal:
            await scene.promote()
        assert refusal.value.facts["validators"] == [f"t-{name}"]
        assert len(await scene.versions()) == 1
