"""What `bps merge` was asked for. Well-formed command lines are read here, without Typer.

Typer costs ten times the start of Python. All else (`--help`, unknown options, missing arguments)
is left to it, so that there is one text for each; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.named_tuple import NamedTuple

USUAL_SIZE = 7
MAX_SIZE = 9_999
"""Characters of a conflict marker, and the most that may be asked for."""
STANDARD_STREAM = "-"
"""In place of a file: standard input, or for OUT standard output."""
FORMATS = ("text", "json")
EXIT_INTERNAL = 70
"""A mistake of this program; its row in the catalogue of errors has the same."""
EXIT_NOT_DONE = 129
"""Above 128: git stops instead of taking A's version for the result."""

_VALUED = {
    "-o": "out",
    "--out": "out",
    "--policy": "policy",
    "--format": "form",
    "--marker-size": "marker_size",
    "--base-label": "base_label",
    "--a-label": "a_label",
    "--b-label": "b_label",
}
_VERSIONS = 3


class MergeRequest(NamedTuple):
    """Files are paths as they were given. With `path` git asks: the result goes into `ours`.

    `marker_size` are characters; a label names its version in markers, None as BPS calls it.
    """

    base: str
    ours: str
    theirs: str
    path: str | None = None
    out: str | None = None
    policy: str | None = None
    form: str = FORMATS[0]
    explain: bool = False
    marker_size: int = USUAL_SIZE
    base_label: str | None = None
    a_label: str | None = None
    b_label: str | None = None

    @property
    def as_json(self) -> bool:
        """Whether the result is printed as JSON."""
        return self.form == "json"


def parse_arguments(arguments: Sequence[str]) -> MergeRequest | None:
    """The request, or None for anything that Typer has to answer."""
    files: list[str] = []
    options: dict[str, str] = {}
    explain = False
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            files += rest
        elif argument == "--explain":
            explain = True
        elif argument == STANDARD_STREAM or not argument.startswith("-"):
            files.append(argument)
        else:
            name, given, value = argument.partition("=")
            found = value if given and name.startswith("--") else next(rest, None)
            if (given and not name.startswith("--")) or name not in _VALUED or found is None:
                return None
            options[_VALUED[name]] = found
    if len(files) not in {_VERSIONS, _VERSIONS + 1}:
        return None
    if options.get("form", FORMATS[0]) not in FORMATS:
        return None
    size = options.get("marker_size", str(USUAL_SIZE))
    if not (size.isascii() and size.isdigit() and 1 <= int(size[:5]) <= MAX_SIZE):
        return None
    base, ours, theirs, *path = files
    return MergeRequest(
        base,
        ours,
        theirs,
        path[0] if path else None,
        options.get("out"),
        options.get("policy"),
        options.get("form", FORMATS[0]),
        explain,
        int(size[:5]),
        options.get("base_label"),
        options.get("a_label"),
        options.get("b_label"),
    )
