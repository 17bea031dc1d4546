"""Names in client certificates."""

from __future__ import annotations

from typing import Any

import pytest

from bps.core.errors import InvalidId
from bps.identity.certificates import certificate_name, credential_of, names_of

PEER = {
    "subject": ((("countryName", "DE"),), (("commonName", "agent-7"),)),
    "subjectAltName": (
        ("DNS", "agent-7.example.org"),
        ("URI", "spiffe://example.org/agent-7"),
        ("IP Address", "127.0.0.1"),
        ("DNS", "agent-7.example.org"),
    ),
}


@pytest.mark.parametrize(
    "text",
    ["uri:spiffe://example.org/a", "dns:a.example.org", "cn:a", "cn:Jane Doe", "cn:" + "a" * 254],
)
def test_names_are_taken_as_they_are(text: str) -> None:
    assert certificate_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cn:",
        "agent",
        "CN:a",
        "ip:127.0.0.1",
        "cn: a",
        "cn:a ",
        "cn:a\n",
        "cn:\x00",
        "cn:naïve",
        "cn:" + "a" * 255,
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        certificate_name(text)


def test_a_certificate_has_its_names_with_their_kinds_once_each() -> None:
    assert names_of(PEER) == [
        "dns:agent-7.example.org",
        "uri:spiffe://example.org/agent-7",
        "cn:agent-7",
    ]


@pytest.mark.parametrize(
    "peer",
    [
        {},
        {"subject": ((("organizationName", "x"),),)},
        {"subjectAltName": (("DNS", "naïve"), ("URI", ""), ("email", "a@example.org"))},
        {"subjectAltName": tuple(("DNS", f"{i}.example.org") for i in range(33))},
    ],
)
def test_a_certificate_without_usable_names_has_none(peer: dict[str, Any]) -> None:
    assert names_of(peer) == []


def test_a_name_of_one_kind_is_no_name_of_another() -> None:
    assert len({credential_of(f"{kind}:a.example.org") for kind in ("dns", "cn", "uri")}) == 3
