"""What is installed, replaced or removed while BPS runs counts from the next promotion on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bps.core.errors import PluginError
from bps.validation.installation import Installation
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText, Outcome, ValidationReport
from tests.asynchronous import asynchronous
from tests.checkout import VARIABLE, python_path
from tests.integration.validation.judged_plan import judged_plan
from tests.integration.validation.plugins import distribution, judge

BASE = b"title: checkout\nretries: 3\n"
FIX = b"title: checkout\nretries: 5\n"
CANDIDATE = CandidateText(None, {}, "a: 1", {})
ASKED = [Allowed("t-late", {})]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory that this process and its workers import from; nothing is installed there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(tmp_path))
        patch.syspath_prepend(tmp_path)
        yield tmp_path


def install(place: Path, version: str, body: str) -> None:
    """As an installer replaces a distribution: the old one goes, the new one comes."""
    for old in place.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    distribution(place, "t-late", judge("Late", body), t_late="Late")
    written = place / "t_late-1.2.3.dist-info"
    metadata = written / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.2.3", version))
    written.rename(place / f"t_late-{version}.dist-info")


async def judged(pool: ValidatorPool) -> ValidationReport:
    return await pool.run(CANDIDATE, ASKED, 20)


@asynchronous
async def test_a_warm_worker_is_kept_until_what_is_installed_changes(place: Path) -> None:
    async with ValidatorPool(size=1) as pool:
        assert (await judged(pool)).runs[0].outcome is Outcome.MISSING
        first = pool.pids
        await judged(pool)
        assert pool.pids == first
        install(place, "1.0.0", "return []")
        (run,) = (await judged(pool)).runs
        assert (run.outcome, run.version) == (Outcome.COMPLETED, "1.0.0")
        second = pool.pids
        assert second != first
        await judged(pool)
        assert pool.pids == second
        install(place, "1.1.0", "return [Finding(ERROR, '', 'no', 'No.')]")
        report = await judged(pool)
        assert [each.version for each in report.runs] == ["1.1.0"]
        assert [each.code for each in report.findings] == ["no"]
        shutil.rmtree(place / "t_late-1.1.0.dist-info")
        assert (await judged(pool)).runs[0].outcome is Outcome.MISSING


@asynchronous
async def test_a_worker_started_ahead_before_an_installation_judges_nothing(place: Path) -> None:
    async with ValidatorPool(size=1) as pool:
        pool.start_ahead()
        install(place, "1.0.0", "return []")
        assert (await judged(pool)).runs[0].outcome is Outcome.COMPLETED


@asynchronous
async def test_the_next_promotion_is_judged_by_what_was_installed_meanwhile(place: Path) -> None:
    async with judged_plan(BASE, "t-late") as scene:
        branch = await scene.succeed("T1", FIX)
        with pytest.raises(PluginError, match="not installed"):
            await scene.promote(branch)
        install(place, "1.0.0", "return [Finding(ERROR, '/retries', 'no', 'Never.')]")
        await scene.refused(branch)
        # The very same promotion: a verdict of the old version must not be remembered.
        install(place, "1.1.0", "return []")
        result = await scene.promote(branch)
        assert (result.how, result.version) == ("promotion", 2)


def test_only_metadata_tell_what_is_installed(place: Path) -> None:
    installation = Installation()
    install(place, "1.0.0", "return []")
    before = installation.seen()
    (place / "notes.txt").write_text("nothing is installed by this")
    (place / "__pycache__").mkdir()
    assert installation.seen() == before
    # A directory that rests is not listed again; one that is written to is.
    os.utime(place, (1, 1))
    assert installation.seen() == installation.seen() == before
    (place / "other-2.dist-info").mkdir()
    assert installation.seen() != before
