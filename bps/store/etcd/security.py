"""TLS files as what a gRPC channel is made with."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from bps.store.security import EtcdTls


@dataclass(frozen=True, slots=True)
class Security:
    """What a TLS channel is made with."""

    credentials: grpc.ChannelCredentials
    options: tuple[tuple[str, str], ...]


def channel_security(tls: EtcdTls) -> Security:
    """The files, read. Raises ConfigError as `EtcdTls.read` does."""
    files = tls.read()
    credentials = grpc.ssl_channel_credentials(
        root_certificates=files.ca, private_key=files.key, certificate_chain=files.cert
    )
    if tls.server_name is None:
        return Security(credentials, ())
    return Security(credentials, (("grpc.ssl_target_name_override", tls.server_name),))
