"""`bps merge` as Typer shows it; a well-formed command line is run without (`merge_start`)."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bps.cli.merge_request import MAX_SIZE, USUAL_SIZE, MergeRequest


def merge(
    base: Annotated[str, typer.Argument(metavar="BASE", help="What both sides were made of.")],
    a: Annotated[str, typer.Argument(metavar="A", help="One side's version.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side's version.")],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH",
            help="Given by git as %P: then the result goes into A, as a merge driver's does.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help="File for the result, which may be one of the three; default: standard output.",
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="How places are merged (docs/merge-policy.md)."),
    ] = None,
    form: Annotated[
        Literal["text", "json"],
        typer.Option(
            "--format", help="The merged text, with conflict markers; or JSON with all records."
        ),
    ] = "text",
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show what came from where, leaf by leaf."),
    ] = False,
    marker_size: Annotated[
        int,
        typer.Option(
            min=1, max=MAX_SIZE, metavar="N", help="Characters of a conflict marker (git: %L)."
        ),
    ] = USUAL_SIZE,
    base_label: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="What markers call BASE (git: %S); default: canonical."),
    ] = None,
    a_label: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="What markers call A (git: %X); default: branch A."),
    ] = None,
    b_label: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="What markers call B (git: %Y); default: branch B."),
    ] = None,
) -> None:
    """Merge two changed versions of a YAML file; comments and layout are kept.

    BASE, A and B are files; one may be - for standard input. Exit 0 clean, 1 in conflict, 2
    refused, 70 a mistake of this program, 75 the result could not be printed.
    """
    from bps.cli.merge_run import run  # noqa: PLC0415 - not needed for help

    labels = (base_label, a_label, b_label)
    request = MergeRequest(base, a, b, path, out, policy, form, explain, marker_size, *labels)
    raise typer.Exit(run(request))
