"""`bps verify --merges` on the cluster: promotions are made again, and it says how many."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.console import Console

PLAN = "EP-7"
BASE = "title: x\n\none: 1\n\ntwo: 2\n"


def test_verify_merges_again_what_was_promoted(console: Console, tmp_path: Path) -> None:
    texts = {
        "base": BASE,
        "one": BASE.replace("one: 1", "one: 10"),
        "two": BASE.replace("two: 2", "two: 20"),
    }
    files = {name: tmp_path / f"{name}.yaml" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    assert console.bps("init").code == 0
    assert console.bps("plan", "register", PLAN, str(files["base"])).code == 0
    for name in ("one", "two"):
        cause = ("--trace-id", name, "--fingerprint", name, "--op-id", f"open-{name}")
        opened = console.data("branch", "open", PLAN, *cause)
        done = console.bps("branch", "submit", PLAN, opened["branch"], str(files[name]))
        assert done.code == 0, done
    assert console.bps("promote", PLAN).code == 0
    (found,) = console.data("verify", PLAN, "--merges")
    assert found["merges"] == {
        "made_again": "1",
        "without_blueprints": "0",
        "without_policy": "0",
        "by_another_engine": "0",
    }
    (without,) = console.data("verify", PLAN)
    assert without["merges"] is None
    shown = console.bps("verify", PLAN, "--merges").out
    assert "MERGES" in shown
    assert "made_again" in shown
