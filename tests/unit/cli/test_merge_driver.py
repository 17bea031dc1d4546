"""`bps merge` as git calls it: whatever happens, no failure looks like a result."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.cli import merge_driver
from bps.cli.merge_driver import drive
from bps.cli.merge_lines import by_lines
from bps.cli.merge_request import EXIT_NOT_DONE, MergeRequest

NAME = "dir/x.yaml"
BASE, A, B = "a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n"


def request(path: Path) -> MergeRequest:
    return MergeRequest(str(path / "base"), str(path / "a"), str(path / "b"), NAME)


def asked(
    path: Path, base: str | bytes, a: str | bytes, b: str | bytes, policy: str | None = None
) -> tuple[int, bytes]:
    """The exit code, and what A's file holds then."""
    for name, content in (("base", base), ("a", a), ("b", b)):
        (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return drive(request(path)._replace(policy=policy), NAME), (path / "a").read_bytes()


def test_the_result_goes_into_the_file_of_a(tmp_path: Path) -> None:
    assert asked(tmp_path, BASE, A, B) == (0, b"a: 2\nb: 2\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "base"]


def test_a_conflict_is_marked_and_told_with_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = asked(tmp_path, BASE, A, "a: 3\nb: 2\n")
    assert code == 1
    assert result == (
        b"<<<<<<< branch A\na: 2\n||||||| canonical\na: 1\n=======\na: 3\n>>>>>>> branch B\nb: 2\n"
    )
    assert capsys.readouterr().err == "bps merge: dir/x.yaml: conflict: /a: both_modified\n"


def test_what_is_no_yaml_is_merged_by_lines_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "{{ if }}\none\ntwo\nthree\n"
    merged = asked(tmp_path, text, text.replace("if", "with"), text.replace("three", "four"))
    assert merged == (0, b"{{ with }}\none\ntwo\nfour\n")
    assert "merged by lines instead" in capsys.readouterr().err
    code, result = asked(tmp_path, text, text.replace("two", "2"), text.replace("two", "zwei"))
    assert code == 1
    assert result == (
        b"{{ if }}\none\n<<<<<<< branch A\n2\n||||||| canonical\ntwo\n=======\nzwei\n"
        b">>>>>>> branch B\nthree\n"
    )


def test_a_side_that_broke_its_yaml_loses_nothing(tmp_path: Path) -> None:
    code, result = asked(tmp_path, BASE, A, "a: 1\nb: [2\n")
    assert code == 1
    assert b"a: 2\nb: 1\n" in result
    assert b"a: 1\nb: [2\n" in result


def test_bytes_that_are_not_utf_8_come_through_as_they_are(tmp_path: Path) -> None:
    base, a, b = (b"\xe4: 1\nx\ny\nz\n", b"\xe4: 2\nx\ny\nz\n", b"\xe4: 1\nx\ny\n\xff\n")
    assert asked(tmp_path, base, a, b) == (0, b"\xe4: 2\nx\ny\n\xff\n")


def test_binary_content_stays_as_a_has_it_in_conflict(tmp_path: Path) -> None:
    for base, a, b in (("x\0", "y\0", "z\0"), ("a: 1\n", "a: 2\n", "\0"), ("", "a: 2\n", "\0")):
        assert asked(tmp_path, base, a, b) == (1, a.encode())


def test_files_added_on_both_sides_have_an_empty_base(tmp_path: Path) -> None:
    assert asked(tmp_path, "", A, A) == (0, A.encode())
    code, result = asked(tmp_path, "", A, B)
    assert code == 1
    for line in ("a: 2\n", "b: 2\n"):
        assert line.encode() in result


def test_line_ends_stay(tmp_path: Path) -> None:
    crlf = [text.replace("\n", "\r\n") for text in (BASE, A, B)]
    assert asked(tmp_path, *crlf) == (0, b"a: 2\r\nb: 2\r\n")
    code, result = asked(tmp_path, crlf[0], crlf[1], "a: 3\r\nb: 1\r\n")
    assert (code, result.count(b"\n")) == (1, result.count(b"\r\n"))
    _, result = asked(tmp_path, "[\r\n1\r\n", "[\r\n2\r\n", "[\r\n3\r\n")
    assert result.count(b"\n") == result.count(b"\r\n") == 8


def test_where_it_cannot_be_done_nothing_is_touched_and_git_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(tmp_path, BASE, A, B, policy="no-such-policy") == (EXIT_NOT_DONE, A.encode())
    (tmp_path / "policy").write_text("strategies: {/a: newest}\n")
    policy = str(tmp_path / "policy")
    assert asked(tmp_path, BASE, A, B, policy=policy) == (EXIT_NOT_DONE, A.encode())
    (tmp_path / "base").unlink()
    assert drive(request(tmp_path), NAME) == EXIT_NOT_DONE
    (tmp_path / "base").write_text(BASE)
    nowhere = request(tmp_path)._replace(out=str(tmp_path / "no" / "where"))
    assert drive(nowhere, NAME) == EXIT_NOT_DONE
    assert (tmp_path / "a").read_text() == A
    assert EXIT_NOT_DONE > 128
    assert "no-such-policy cannot be read" in capsys.readouterr().err


def test_a_mistake_of_the_engine_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("a mistake")

    monkeypatch.setattr(merge_driver, "merge_texts", broken)
    code, result = asked(tmp_path, "a: 1\nb\nc: 1\n", "a: 2\nb\nc: 1\n", "a: 1\nb\nc: 2\n")
    assert (code, result) == (0, b"a: 2\nb\nc: 2\n")
    assert "AssertionError('a mistake')" in capsys.readouterr().err


def test_lines_without_a_last_newline_get_one_before_a_marker() -> None:
    result, contested = by_lines(b"x", b"y", b"z")
    assert contested
    assert result == (b"<<<<<<< branch A\ny\n||||||| canonical\nx\n=======\nz\n>>>>>>> branch B\n")
    assert by_lines(b"x", b"y", b"x") == (b"y", False)
    assert by_lines(b"", b"", b"") == (b"", False)
