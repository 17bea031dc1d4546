"""etcd3-py's client, cut down to its one call that carries the job (ADR 0014).

`call_rpc` with `raw` and without `encode` posts our bytes to the gateway's path and hands out the
response untouched. All else of the library is left alone: its models cost half of the time of a
call, and its mapping of errors ends in a TypeError on what etcd 3.5.30 answers.
"""

from __future__ import annotations

from collections.abc import Mapping

import etcd3  # type: ignore[import-untyped]
import semantic_version  # type: ignore[import-untyped]
from requests import Response

from bps.store.gateway.body import Body
from bps.store.security import EtcdTls

MAX_ANSWER_BYTES = 96 * 1024 * 1024
"""JSON of the 64 MiB that the gRPC adapter takes."""
_CHUNK_BYTES = 1024 * 1024
_SPOKEN = semantic_version.Version("3.5.0")
"""Gives the library the paths of etcd 3.4 and newer (`/v3`)."""


class AnswerTooLargeError(OSError):
    """The answer has more than `MAX_ANSWER_BYTES`."""


class GatewayClient(etcd3.Client):  # type: ignore[misc]
    """One member's client with one connection, used by one thread at a time."""

    def __init__(self, endpoint: str, tls: EtcdTls | None) -> None:
        host, _, port = endpoint.rpartition(":")
        files = tls or EtcdTls()
        super().__init__(
            host,
            int(port),
            "http" if tls is None else "https",
            cert=(str(files.cert), str(files.key)) if files.cert and files.key else (),
            # The library does not verify unless told.
            verify=str(files.ca) if files.ca else True,
            pool_size=1,
            max_retries=0,
        )
        # No proxy, password or CA from variables and ~/.netrc.
        self._session.trust_env = False

    def _retrieve_version(self) -> None:
        """Without a request: the library's own goes past its session, through any proxy."""
        self.server_version = self.cluster_version = str(_SPOKEN)
        self.server_version_sem = self.cluster_version_sem = _SPOKEN

    @staticmethod
    def _raise_for_status(resp: Response) -> None:
        """Nothing: what a status means is ours to say."""

    def exchange(
        self,
        path: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        connect_s: float,
        silence_s: float,
    ) -> tuple[int, bytes]:
        """Send `body` once; the answer's HTTP status and content.

        Args:
            path: of the method, below `/v3`.
            body: JSON.
            headers: of this request.
            connect_s: how long connecting may take.
            silence_s: how long the member may say nothing after that.

        Raises:
            OSError: connection, handshake, time or protocol (requests' errors are OSErrors).
        """
        response = self.call_rpc(
            path,
            body,
            stream=True,
            encode=False,
            raw=True,
            timeout=(connect_s, silence_s),
            # A redirect would send a write again.
            allow_redirects=False,
            headers=dict(headers),
        )
        with response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise AnswerTooLargeError("The answer is larger than this client takes.")
            return response.status_code, bytes(content)
