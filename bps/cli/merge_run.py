"""One run of `bps merge`: versions in, the result or its conflicts out, and an exit code."""

from __future__ import annotations

import errno
import os
import sys

from bps.cli.merge_files import Refused, read_version, refuse_shared_pipes, write_result
from bps.cli.merge_request import STANDARD_STREAM, MergeRequest
from bps.cli.streams import STDOUT, was_closed
from bps.merge.engine import merge
from bps.merge.markers import Markers
from bps.merge.records import CANONICAL, Contribution, Merged
from bps.merge.refusals import Unreadable
from bps.merge.strategies import Strategies

EXIT_CLEAN = 0
EXIT_CONFLICT = 1
OURS = "branch A"
THEIRS = "branch B"
"""The labels of the two sides; the base is `canonical`."""
_FIELDS = ("base", "a", "b")
_PRINTED = {None, STANDARD_STREAM, "/dev/stdout"}
"""`>> FILE` is appended to as `/dev/stdout` too; as a file it would be replaced."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE}
"""The name is right, but the result does not go there; other failures are of the name."""
_FORMS = {"json", "text", "yaml", "table"}
"""What `-o` takes in all other commands: there it is the form of what is printed."""
_NAME_OUT = "Name a file in a directory that is there and takes new files."
_UNFILLED = {"%S", "%X", "%Y"}
"""git before 2.44 leaves these placeholders for labels as they are."""


def run(request: MergeRequest) -> int:
    """Merge, print or write the result, and return the exit code.

    0 clean, 1 in conflict, 2 refused, 70 a mistake of ours: then nothing is written; 75 the result
    could not be printed or written. With `request.path` git asks, see `bps.cli.merge_driver`.
    """
    try:
        if request.path is not None:
            from bps.cli.merge_driver import drive  # noqa: PLC0415 - only for git

            return drive(request, request.path)
        return _run(request)
    except Exception as error:  # noqa: BLE001 - Python's own exit for it is that of a conflict
        from bps.cli.merge_refusal import crashed  # noqa: PLC0415 - takes the whole command line

        return crashed(error, request)


def _run(request: MergeRequest) -> int:
    try:
        versions = _read(request)
        strategies = strategies_of(request)
        try:
            base, ours, theirs = (
                _decoded(data, name, field)
                for data, name, field in zip(versions, files(request), _FIELDS, strict=True)
            )
            merged = merge_texts(base, ours, theirs, strategies, markers_of(request))
        except Unreadable as error:
            raise _located(error, request) from None
    except Refused as refused:
        return _refuse(refused, request)
    return _deliver(request, base, ours, theirs, merged)


def files(request: MergeRequest) -> tuple[str, str, str]:
    """The three versions."""
    return request.base, request.ours, request.theirs


def merge_texts(
    base: str, ours: str, theirs: str, strategies: Strategies | None, markers: Markers
) -> Merged:
    """The three-way merge. Raises Unreadable."""
    sides = contributions(base, ours, theirs)
    return merge(base, sides, strategies=strategies, markers=markers)


def markers_of(request: MergeRequest) -> Markers:
    """How conflicts are marked; a label is on one line, whatever it is."""
    given = {OURS: request.a_label, THEIRS: request.b_label, CANONICAL: request.base_label}
    names = {
        each: _printable(name) for each, name in given.items() if name and name not in _UNFILLED
    }
    return Markers(request.marker_size, names)


def contributions(base: str, ours: str, theirs: str) -> list[Contribution]:
    """The two sides, both forked from the base."""
    return [Contribution(OURS, base, ours), Contribution(THEIRS, base, theirs)]


def strategies_of(request: MergeRequest) -> Strategies | None:
    """What the policy file declares, None without one. Raises Refused."""
    if request.policy is None:
        return None
    from bps.core.errors import InvalidInput  # noqa: PLC0415 - most merges have no policy
    from bps.merge.declared import load_policy_file  # noqa: PLC0415

    data = read_version(request.policy, "policy")
    try:
        return load_policy_file(_decoded(data, request.policy, "policy"))
    except InvalidInput as error:
        facts = {
            name: value for name, value in error.facts.items() if isinstance(value, (str, int))
        }
        where = facts.pop("field", "policy")
        raise Refused(f"{request.policy}: {error.message}", str(where), **facts) from None


def told(merged: Merged) -> list[str]:
    """What a person should know beside the result: a line for each conflict and each notice."""
    lines = []
    for each in merged.conflicts:
        line = f"conflict: {each.path or 'the whole text'}: {each.kind.value}"
        if each.finding is not None:
            line += f"; {each.finding}"
        if each.suggestion is not None:
            line += f"; proposed: {each.suggestion.removeprefix('=').strip()}"
        lines.append(line)
    lines += [f"note: {each.path or 'the whole text'}: {each.message}" for each in merged.notices]
    return lines


def say(lines: list[str]) -> None:
    """Write lines for a person on standard error, without control characters."""
    for line in lines:
        sys.stderr.write(f"{_printable(line)}\n")


def _printable(line: str) -> str:
    return (
        line
        if line.isprintable()
        else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    )


def _read(request: MergeRequest) -> list[bytes]:
    if request.out in _FORMS and not os.path.lexists(request.out):
        msg = f"-o names the file for the result, and there is none called {request.out}."
        advice = f"Say --format json for JSON, or -o ./{request.out} for such a file."
        raise Refused(msg, "out").advising(advice)
    names = files(request)
    refuse_shared_pipes([*names, *([] if request.policy is None else [request.policy])])
    return [read_version(name, what) for name, what in zip(names, _FIELDS, strict=True)]


def _decoded(data: bytes, name: str, field: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[begin : error.start].decode()) + 1
        message = f"{name}:{line}:{column}: byte 0x{data[error.start]:02X} is not UTF-8"
        hint = "save the file as UTF-8"
        raise Refused(message, field, line=line, column=column, hint=hint) from None


def _located(error: Unreadable, request: MergeRequest) -> Refused:
    """The refusal by file, line and column."""
    names = {
        CANONICAL: ("base", request.base),
        f"the base of {OURS}": ("base", request.base),
        f"the base of {THEIRS}": ("base", request.base),
        OURS: ("a", request.ours),
        THEIRS: ("b", request.theirs),
    }
    field, name = names.get(error.label, ("versions", error.label))
    message = f"{name}:{error.line}:{error.column}: {error.what}"
    return Refused(message, field, line=error.line, column=error.column, hint=error.hint)


def _deliver(request: MergeRequest, base: str, ours: str, theirs: str, merged: Merged) -> int:
    """Write the result where it belongs, and what there is to say about it."""
    code = EXIT_CLEAN if merged.text is not None else EXIT_CONFLICT
    file = None if request.out in _PRINTED else request.out
    printed, beside = "" if file is not None else merged.marked, ""
    if request.explain or request.as_json:
        from bps.cli.merge_report import as_json, as_table  # noqa: PLC0415 - only where asked

        sides = contributions(base, ours, theirs)
        if request.as_json:
            printed = as_json(base, sides, merged, explained=request.explain)
        elif file is not None:
            printed = as_table(base, sides, merged)
        else:
            beside = as_table(base, sides, merged)
    # From here on nothing is computed that could fail with half of it written.
    if file is not None:
        try:
            write_result(file, merged.marked.encode(), durable=True)
        except OSError as error:
            reason = error.strerror or "no reason given"
            if error.errno in _NO_ROOM:
                from bps.cli.merge_refusal import not_written  # noqa: PLC0415 - only then

                return not_written(file, reason, as_json=request.as_json)
            msg = f"{file} cannot be written: {reason}."
            return _refuse(Refused(msg, "out").advising(_NAME_OUT), request)
    code = _print(printed, code)
    sys.stderr.write(beside)
    if not request.as_json:
        say(told(merged))
    return code


def _print(text: str, code: int) -> int:
    """Print on standard output and return the code, or that of what went wrong."""
    try:
        _write_out(text.encode())
    except BrokenPipeError:
        from bps.cli.output import drop_output  # noqa: PLC0415 - nobody reads any more

        drop_output()
    except OSError as error:
        from bps.cli.merge_refusal import not_printed  # noqa: PLC0415 - only then

        return not_printed(error)
    return code


def _write_out(data: bytes) -> None:
    if data and was_closed(STDOUT):
        raise OSError(errno.EBADF, "it is closed")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _refuse(refused: Refused, request: MergeRequest) -> int:
    from bps.cli.merge_refusal import refuse  # noqa: PLC0415 - takes the whole command line

    return refuse(refused, as_json=request.as_json)
