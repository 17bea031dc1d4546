"""The report of what came from where, as it is stored with the version that a merge makes."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.compact import Rows
from bps.plans.blob import Blob, pack
from bps.plans.origins import OriginLine, OriginReport, OriginSource


def packed_report(
    rows: Rows, *, canonical_digest: str, digest: str, sources: Sequence[tuple[str, str | None]]
) -> Blob:
    """The report of the merge of `sources` (RR-plans and who submitted them) with result `digest`.

    The same merge gives the same bytes. Cost: 10 us a row.
    """
    report = OriginReport(
        canonical_digest=canonical_digest,
        digest=digest,
        sources=[OriginSource(source=source, by=by) for source, by in sources],
        changes=[OriginLine.model_validate(_fields(row._asdict())) for row in rows.rows],
        left_out=rows.left_out,
    )
    return pack(report.encode())


def _fields(row: dict[str, object]) -> dict[str, object]:
    """Lists where a row has tuples."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in row.items()}
