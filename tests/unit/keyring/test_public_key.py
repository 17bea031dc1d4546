"""Public keys in all the forms in which people give them, and in those that are refused."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bps.core.errors import InvalidInput
from bps.keyring.public_key import PublicKey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = KEY.public_key().public_bytes_raw()
PEM, SPKI = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
SSH = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
SSH_LINE = KEY.public_key().public_bytes(*SSH).decode()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "text",
    [
        SSH_LINE,
        f"{SSH_LINE} alice@laptop of alice\n",
        KEY.public_key().public_bytes(PEM, SPKI).decode(),
        base64.b64encode(RAW).decode(),
    ],
    ids=["ssh", "ssh with comment", "pem", "base64"],
)
def test_every_usual_form_of_a_key_is_the_same_key(text: str) -> None:
    key = PublicKey.parse(text)
    assert key.raw == RAW
    assert key.comment == ("alice@laptop of alice" if "alice" in text else "")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (RSA.public_key().public_bytes(*SSH).decode(), "RSA"),
        (RSA.public_key().public_bytes(PEM, SPKI).decode(), "RSA"),
        (P256.public_key().public_bytes(*SSH).decode(), "ECDSA"),
        (P256.public_key().public_bytes(PEM, SPKI).decode(), "kind EC"),
        ("sk-ssh-ed25519@openssh.com AAAA", "security token"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        ("", "empty"),
        (f"{SSH_LINE}\n{SSH_LINE}", "several lines"),
        (f'command="rm" {SSH_LINE}', "no base64"),
        ("ssh-ed25519 " + base64.b64encode(b"short").decode(), "damaged"),
        (SSH_LINE[:-4], "damaged"),
        ("ssh-ed25519 !!!", "no base64"),
        (base64.b64encode(RAW + b"x").decode(), "32 bytes"),
        (SSH_LINE + " " + "c" * 201, "comment"),
        (SSH_LINE + " \x1b[31m", "comment"),
        ("x" * 9_000, "longer"),
    ],
)
def test_what_is_no_ed25519_key_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        PublicKey.parse(text)


@pytest.mark.parametrize("form", ["openssh", "pkcs8"])
def test_a_private_key_pasted_by_mistake_is_named_and_never_repeated(form: str) -> None:
    chosen = (
        serialization.PrivateFormat.OpenSSH
        if form == "openssh"
        else serialization.PrivateFormat.PKCS8
    )
    text = KEY.private_bytes(PEM, chosen, serialization.NoEncryption()).decode()
    with pytest.raises(InvalidInput, match="private key") as refused:
        PublicKey.parse(text)
    said = refused.value.message + str(refused.value.facts)
    assert not any(line in said for line in text.splitlines()[1:-1])


@given(st.text(max_size=200) | st.binary(max_size=80).map(lambda b: base64.b64encode(b).decode()))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        key = PublicKey.parse(text)
    except InvalidInput:
        return
    assert len(key.raw) == 32
    assert PublicKey.parse(key.text) == PublicKey(key.raw)


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    path = tmp_path / "key.pub"
    path.write_text(SSH_LINE + " who\n")
    shown = subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True)
    assert PublicKey.parse(path.read_text()).fingerprint == shown.stdout.split()[1]
