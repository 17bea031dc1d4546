"""`bps merge` as git's merge driver (gitattributes(5), "Defining a custom merge driver").

git gives three files and the path; it takes the result from the file of A, and the exit code: 0
clean, 1 to 128 in conflict, above: it could not be done, and the whole merge stops. As git keeps
what is in A's file also where a driver fails, a failure must never look like a result:

- What cannot be read as YAML is merged by lines, as git does without a driver, and it is said.
- Binary content stays as A has it, and is a conflict, as git does without a driver.
- Where the files or the policy cannot be read, or A's file not be written, nothing is touched.
"""

from __future__ import annotations

from bps.cli.merge_files import Refused, read_version, write_result
from bps.cli.merge_request import EXIT_NOT_DONE, MergeRequest
from bps.cli.merge_run import (
    EXIT_CLEAN,
    EXIT_CONFLICT,
    contributions,
    files,
    markers_of,
    merge_texts,
    say,
    strategies_of,
    told,
)
from bps.merge.markers import Markers
from bps.merge.refusals import Unreadable

_LOOKED_AT_BYTES = 8000
"""How far git looks for a NUL to tell binary content."""


def drive(request: MergeRequest, path: str) -> int:
    """Merge for git and return the exit code; `path` is what the file is called in messages."""
    try:
        versions = [read_version(name, name) for name in files(request)]
        strategies = strategies_of(request)
    except Refused as refused:
        say([f"bps merge: {path}: {refused.message}"])
        return EXIT_NOT_DONE
    if any(b"\0" in data[:_LOOKED_AT_BYTES] for data in versions):
        say([f"bps merge: {path}: binary content; your version is kept, in conflict"])
        return EXIT_CONFLICT
    code, result, markers = EXIT_CLEAN, b"", markers_of(request)
    try:
        base, ours, theirs = (data.decode() for data in versions)
        merged = merge_texts(base, ours, theirs, strategies, markers)
    except (Unreadable, UnicodeDecodeError) as error:
        say([f"bps merge: {path}: {_why(error)}; merged by lines instead"])
        code, result = _by_lines(versions, markers)
    except Exception as error:  # noqa: BLE001 - the user's file must not be lost by our mistake
        say([f"bps merge: {path}: internal error {error!r}, please report it; merged by lines"])
        code, result = _by_lines(versions, markers)
    else:
        say([f"bps merge: {path}: {line}" for line in told(merged)])
        code = EXIT_CLEAN if merged.text is not None else EXIT_CONFLICT
        result = merged.marked.encode()
        if request.explain:
            from bps.cli.merge_report import as_table  # noqa: PLC0415 - only where asked

            say(as_table(base, contributions(base, ours, theirs), merged).splitlines())
    try:
        # git reads it back at once, and a merge cut off by the power is done again.
        write_result(request.out or request.ours, result, durable=False)
    except OSError as error:
        say([f"bps merge: {path}: the result cannot be written: {error.strerror or error}"])
        return EXIT_NOT_DONE
    return code


def _by_lines(versions: list[bytes], markers: Markers) -> tuple[int, bytes]:
    """Exit code and result of what is no YAML."""
    from bps.cli.merge_lines import by_lines  # noqa: PLC0415 - most files are YAML

    result, contested = by_lines(*versions, markers=markers)
    return (EXIT_CONFLICT if contested else EXIT_CLEAN), result


def _why(error: Unreadable | UnicodeDecodeError) -> str:
    return str(error) if isinstance(error, Unreadable) else "not UTF-8"
