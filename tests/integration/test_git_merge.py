"""Real `git merge` with `bps merge` as its driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.git_repository import (
    BASE,
    MERGED,
    NAME,
    OURS,
    THEIRS,
    Repository,
    changed,
    drivers_can_stop,
    git_is,
)


def labels(repository: Repository) -> tuple[str, str, str]:
    """Ours, base and theirs as git calls them; before 2.44 it does not tell."""
    if not git_is(2, 44):
        return "branch A", "canonical", "branch B"
    base = repository.git("rev-parse", "--short", "main~1").stdout.strip()
    return "HEAD", base, "theirs"


def assert_untouched(repository: Repository, exit_code: int) -> None:
    """The driver could not do it: git stops, or where it cannot takes ours for a conflict."""
    stops = drivers_can_stop()
    assert (exit_code not in {0, 1}) if stops else (exit_code == 1)
    unmerged = set() if stops else {NAME}
    assert (repository.read(NAME), repository.unmerged()) == (OURS, unmerged)


@pytest.mark.parametrize(
    "name", [NAME, "deploy.yml", "a b/it's $HOME.yaml", "-o.yaml", "größe/☂.yaml", "--policy.yaml"]
)
def test_changes_of_neighbouring_lines_merge_whatever_the_file_is_called(
    tmp_path: Path, name: str
) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS, name)
    done = repository.merge()
    assert (done.returncode, repository.read(name)) == (0, MERGED), done
    assert (repository.unmerged(), repository.leftovers()) == (set(), [])


def test_without_the_driver_those_lines_are_in_each_other_s_way(tmp_path: Path) -> None:
    assert changed(tmp_path, BASE, OURS, THEIRS, "deploy.txt").merge().returncode == 1


def test_a_conflict_leaves_markers_around_its_node_and_the_file_unmerged(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    done = repository.merge()
    assert done.returncode == 1
    assert "CONFLICT (content)" in done.stdout
    assert f"bps merge: {NAME}: conflict: /owner: both_modified" in done.stderr
    ours, base, theirs = labels(repository)
    assert repository.read(NAME) == (
        "kind: deploy  # how it runs\n"
        f"<<<<<<< {ours}\nowner: eve\n||||||| {base}\nowner: ann\n=======\nowner: bob\n"
        f">>>>>>> {theirs}\nreplicas: 3\nsteps: [build, test, ship]\n"
    )
    assert repository.unmerged() == {NAME}
    assert repository.leftovers() == []
    assert repository.git("commit", "--all", "--message", "no").returncode == 0


def test_only_the_files_in_conflict_stay_unmerged(tmp_path: Path) -> None:
    base, other = {NAME: BASE, "other.yaml": BASE}, {NAME: THEIRS, "other.yaml": THEIRS}
    ours = {NAME: OURS, "other.yaml": OURS.replace("ann", "eve")}
    repository = Repository(tmp_path, base, ours, other)
    assert repository.merge().returncode == 1
    assert repository.unmerged() == {"other.yaml"}
    assert repository.read(NAME) == MERGED


def test_a_file_added_on_both_sides_is_a_conflict_that_loses_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {}, {NAME: "a: 1\nb: 1\n"}, {NAME: "a: 2\nc: 1\n"})
    done = repository.merge()
    assert (done.returncode, repository.unmerged()) == (1, {NAME})
    ours, _, _ = labels(repository)
    for line in (f"<<<<<<< {ours}\n", "a: 1\n", "b: 1\n", "=======\n", "a: 2\n", "c: 1\n"):
        assert line in repository.read(NAME)


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    texts = [text.replace("\n", "\r\n") for text in (BASE, OURS, THEIRS)]
    repository = changed(tmp_path, *texts)
    assert repository.merge().returncode == 0
    assert repository.read(NAME) == MERGED.replace("\n", "\r\n")


def test_a_file_that_one_side_deleted_is_git_s_own_conflict(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {NAME: BASE}, {NAME: None}, {NAME: THEIRS})
    done = repository.merge()
    assert done.returncode == 1
    assert "CONFLICT (modify/delete)" in done.stdout
    assert repository.read(NAME) == THEIRS


def test_a_key_deleted_on_one_side_and_changed_on_the_other_is_a_conflict(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, BASE.replace("owner: ann\n", ""), THEIRS)
    assert repository.merge().returncode == 1
    assert "owner: bob\n" in repository.read(NAME)
    assert "steps: [build, test, ship]\n" in repository.read(NAME)


def test_a_template_that_is_no_yaml_is_merged_as_git_would(tmp_path: Path) -> None:
    base = "{{- if .Values }}\nname: x\n\n\nport: 1\n{{- end }}\n"
    repository = changed(
        tmp_path, base, base.replace("name: x", "name: y"), base.replace("port: 1", "port: 2")
    )
    done = repository.merge()
    assert done.returncode == 0
    assert repository.read(NAME) == base.replace("name: x", "name: y").replace("port: 1", "port: 2")
    assert "merged by lines instead" in done.stderr


def test_a_side_that_is_no_yaml_ends_in_markers_and_loses_nothing(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, BASE.replace("replicas: 2", "replicas: [2"))
    assert repository.merge().returncode == 1
    assert repository.unmerged() == {NAME}
    for line in ("<<<<<<<", "replicas: 3\n", "replicas: [2\n", ">>>>>>>"):
        assert line in repository.read(NAME)


def test_bytes_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    base = b"a: \xe4\n\n\nb: 1\n"
    ours, theirs = base.replace(b"a:", b"c:"), base.replace(b"b: 1", b"b: 2")
    repository = Repository(tmp_path, {NAME: base}, {NAME: ours}, {NAME: theirs})
    assert repository.merge().returncode == 0
    assert (repository.path / NAME).read_bytes() == b"c: \xe4\n\n\nb: 2\n"


def test_binary_content_is_a_conflict_that_keeps_our_version(tmp_path: Path) -> None:
    repository = changed(tmp_path, "a\0b", "a\0ours", "a\0theirs")
    assert repository.merge().returncode == 1
    assert (repository.read(NAME), repository.unmerged()) == ("a\0ours", {NAME})


def test_a_driver_that_cannot_do_it_stops_the_merge_and_touches_nothing(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    driver = "bps merge --policy no-such-policy -- %O %A %B %P"
    assert repository.git("config", "merge.bps.driver", driver).returncode == 0
    done = repository.merge()
    assert "no-such-policy cannot be read" in done.stderr
    assert_untouched(repository, done.returncode)
    if drivers_can_stop():
        assert repository.git("status", "--porcelain").stdout == ""


def test_a_renamed_file_is_merged_under_its_new_name(tmp_path: Path) -> None:
    ours = {NAME: None, "moved.yaml": OURS}
    repository = Repository(tmp_path, {NAME: BASE}, ours, {NAME: THEIRS})
    done = repository.merge()
    assert (done.returncode, repository.read("moved.yaml")) == (0, MERGED), done


def test_branches_that_crossed_before_merge_without_losing_a_side(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    # Each side merges the other's first commit and decides otherwise: their base has markers.
    for branch, other, owner in (("main", "theirs", "eve"), ("theirs", "main@{1}", "bob")):
        assert repository.git("checkout", "--quiet", branch).returncode == 0
        assert repository.git("merge", "--no-edit", other).returncode == 1
        repository.commit({NAME: MERGED.replace("bob", owner)})
    assert repository.git("checkout", "--quiet", "main").returncode == 0
    assert repository.merge().returncode == 1
    for owner in ("owner: eve\n", "owner: bob\n"):
        assert owner in repository.read(NAME)
    # The base is a merge with a conflict of its own, whose markers git wants longer.
    markers = [
        line.split()[0]
        for line in repository.read(NAME).splitlines()
        if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>"))
    ]
    outer, inner = ["<" * 7, "|" * 7, "=" * 7, ">" * 7], ["<" * 9, "|" * 9, "=" * 9, ">" * 9]
    assert markers == [*outer[:2], *inner, *outer[2:]]


def test_a_length_of_markers_from_gitattributes_is_kept(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    attributes = "*.yaml merge=bps conflict-marker-size=13\n"
    (repository.path / ".gitattributes").write_text(attributes)
    assert repository.merge().returncode == 1
    for sign in ("<", "|", "=", ">"):
        assert f"\n{sign * 13}" in repository.read(NAME)
        assert f"\n{sign * 14}" not in repository.read(NAME)


def test_a_line_of_configuration_without_markers_and_labels_goes_on_working(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS.replace("ann", "eve"), THEIRS)
    repository.git("config", "merge.bps.driver", "bps merge -- %O %A %B %P")
    assert repository.merge().returncode == 1
    assert (
        "<<<<<<< branch A\nowner: eve\n||||||| canonical\nowner: ann\n=======\nowner: bob\n"
        ">>>>>>> branch B\n"
    ) in repository.read(NAME)


@pytest.mark.parametrize("options", ["--no-such-option", "--marker-size %Q"])
def test_a_line_of_configuration_that_is_wrong_is_no_conflict(tmp_path: Path, options: str) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    repository.git("config", "merge.bps.driver", f"bps merge {options} -- %O %A %B %P")
    done = repository.merge()
    assert "Usage:" in done.stderr
    assert_untouched(repository, done.returncode)


def test_rebase_and_cherry_pick_use_it_too(tmp_path: Path) -> None:
    repository = changed(tmp_path, BASE, OURS, THEIRS)
    assert repository.git("cherry-pick", "theirs").returncode == 0
    assert repository.read(NAME) == MERGED
    assert repository.git("reset", "--quiet", "--hard", "HEAD~1").returncode == 0
    assert repository.git("rebase", "--quiet", "theirs").returncode == 0
    assert repository.read(NAME) == MERGED
