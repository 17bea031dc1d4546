"""The pages that problem types lead to: what a code means and what to do."""

from __future__ import annotations

import json

from bps.core.error_catalogue import Explanation, catalogue
from bps.http.openapi import problem_example
from bps.http.reference.html import block, link, page, prose, table


def problem_index() -> str:
    """All codes, as HTML."""
    rows = sorted(catalogue().values(), key=lambda row: (row.http_status, row.code))
    cells = (
        (str(row.http_status), link(row.problem_type, row.code), prose(row.meaning)) for row in rows
    )
    heading = f"<h1>Problems</h1>\n<p>{link('/docs', 'Reference')}</p>"
    return page("Problems", [heading, table(("status", "code", "meaning"), cells)])


def problem_page(row: Explanation) -> str:
    """One code, as HTML."""
    retry = "yes, repeat it unchanged" if row.retryable else "no, not unchanged"
    facts = (
        ("meaning", prose(row.meaning)),
        ("next action", prose(row.next_action)),
        ("HTTP status", str(row.http_status)),
        ("worth repeating", retry),
        ("exit code of <code>bps</code>", str(row.exit_code)),
    )
    return page(
        row.code,
        [
            f"<h1>{prose(row.code)}</h1>\n<p>{link('/problems', 'All problems')}</p>",
            table(("", ""), facts),
            block(json.dumps(problem_example(row), indent=2, ensure_ascii=False)),
        ],
    )
