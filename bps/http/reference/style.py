"""The one style sheet of the HTML pages; its digest is in their Content-Security-Policy."""

from __future__ import annotations

import hashlib
from base64 import b64encode

STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --soft: #f3f5f7;
  --line: #d5dae0; --mark: #0b5cad; --dim: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --paper: #14171a; --soft: #1e2328; --line: #373e46; --mark: #7ab8ff;
    --dim: #a0aab4; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 62rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--mark); }
h1 { font-size: 1.7rem; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2.2rem 0 .4rem; font-size: 1.05rem; overflow-wrap: anywhere; }
code, pre { font: .86rem/1.5 ui-monospace, monospace; }
pre { padding: .8rem 1rem; overflow-x: auto; background: var(--soft); border-radius: .4rem;
  border: 1px solid var(--line); }
pre.copy { user-select: all; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.verb { display: inline-block; min-width: 3.6rem; color: var(--mark); font-weight: 700; }
.dim { color: var(--dim); } nav ul { columns: 2 18rem; padding-left: 1.2rem; }
summary { cursor: pointer; color: var(--mark); }
"""

_DIGEST = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Nothing is loaded, run, framed or sent by a page."""
