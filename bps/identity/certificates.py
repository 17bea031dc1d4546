"""Names in client certificates, and the credential that each of them is (design, "Edges": mTLS).

A name is written with its kind, so that a DNS name never passes for a common name: `uri:...` and
`dns:...` for entries of subjectAltName, `cn:...` for the subject's common name (RFC 5280, 4.2.1.6).
Names are compared exactly. The listener's client CA has verified the certificate before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bps.core.codec import sha256_hex
from bps.core.errors import InvalidId

MAX_NAMES: Final = 32
"""Names of one certificate that are looked up; one with more of them is no client of ours."""
NAME_FORM: Final = r"(uri|dns|cn):[!-~]([ -~]{0,252}[!-~])?"
_NAME = re.compile(NAME_FORM)
_KINDS = {"URI": "uri", "DNS": "dns"}
_ID_DIGITS = 16


def certificate_name(text: str) -> str:
    """A name with its kind: printable ASCII, at most 254 characters after the kind.

    Raises InvalidId.
    """
    if _NAME.fullmatch(text) is None:
        example = "uri:spiffe://example.org/agent"
        msg = f"{text[:60]!a} is not a certificate's name; one looks like {example}."
        raise InvalidId(msg, expected=example)
    return text


def credential_of(name: str) -> str:
    """The id of the one credential that a name can have: derived, so that it needs no index."""
    return sha256_hex(b"certificate\n" + name.encode())[:_ID_DIGITS]


def names_of(peer: Mapping[str, Any]) -> list[str]:
    """The names in a certificate as `ssl.SSLObject.getpeercert()` shows it, each once.

    Empty where there are none, or more than 32; names that no credential can have are left out.
    """
    found = list(dict.fromkeys(filter(_NAME.fullmatch, _all_names(peer))))
    return found if len(found) <= MAX_NAMES else []


def _all_names(peer: Mapping[str, Any]) -> Iterator[str]:
    for kind, name in peer.get("subjectAltName", ()):
        if kind in _KINDS:
            yield f"{_KINDS[kind]}:{name}"
    for relative_name in peer.get("subject", ()):
        for attribute, value in relative_name:
            if attribute == "commonName":
                yield f"cn:{value}"
