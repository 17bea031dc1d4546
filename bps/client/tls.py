"""TLS towards one service: whom to trust, and the own certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from bps.client.target import Target
from bps.identity.tls_files import load_ca, load_identity


def context_of(target: Target) -> ssl.SSLContext:
    """What connections to `target` are made with.

    Raises:
        ConfigError: a certificate or key file cannot be used.
    """
    if target.url.startswith("http:"):
        # Never used; an empty one spares reading the system's certificates.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Without a CA of its own the system's are trusted.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if target.ca_file is None:
        context.load_default_certs()
    else:
        load_ca(context, target.ca_file, name=f"The CA file {_shown(target.ca_file)}")
    if target.cert_file is not None and target.key_file is not None:
        load_identity(
            context,
            target.cert_file,
            target.key_file,
            cert_name=f"The certificate file {_shown(target.cert_file)}",
            key_name=f"The key file {_shown(target.key_file)}",
        )
    return context


def _shown(path: Path) -> str:
    return ascii(str(path)[:200])
