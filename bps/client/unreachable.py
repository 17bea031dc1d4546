"""Why no answer came, and what to do about that cause; told from what the transport raised."""

from __future__ import annotations

import ssl

import httpx

from bps.client.target import Target
from bps.core.errors import BpsError, ConfigError, OutcomeUnknown, Unavailable

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Failures after which the service cannot have seen the request."""
_START = "Start the service (`bps serve`), or correct its URL (--url, BPS_URL or the context)."
_TRUSTED = (
    "Use a certificate that the service trusts: signed by its listen.client_ca_file and still "
    "valid (--cert-file, --key-file)."
)
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_REPEAT = "Then repeat the command with the same --op-id."
_OUR_CERTIFICATE = ("UNKNOWN_CA", "CERTIFICATE", "ACCESS_DENIED", "DECRYPT_ERROR")


def unreachable(error: httpx.TransportError, target: Target, op_id: str | None) -> BpsError:
    """The error for a request without an answer; `op_id` is given where it writes."""
    tls = _cause(error)
    if isinstance(tls, ssl.SSLCertVerificationError):
        msg = f"The certificate of {target.url} is not to be trusted: {tls.verify_message}."
        return ConfigError(msg).advising(
            "Name its CA by --ca-file or in the context, and the host as its certificate does."
        )
    if tls is not None and tls.reason in _NOT_TLS:
        msg = f"What answers at {target.url} speaks no TLS."
        return ConfigError(msg).advising("Use http:// instead of https://, or correct the port.")
    if tls is not None and _refuses_us(tls):
        which = "our certificate" if target.cert_file else "us without a certificate"
        msg = f"The service at {target.url} refuses {which} ({_alert(tls)})."
        return ConfigError(msg).advising(_TRUSTED)
    what = f"The service at {target.url} does not answer ({type(error).__name__})"
    action = _advice(error, target)
    if op_id is not None and not isinstance(error, _NOT_SENT):
        msg = f"{what}; operation {op_id} was sent and may be done."
        unknown = OutcomeUnknown(msg, op=op_id)
        return unknown if action is None else unknown.advising(f"{action} {_REPEAT}")
    return Unavailable(f"{what}.").advising(action or _START)


def _advice(error: httpx.TransportError, target: Target) -> str | None:
    """For connections that end without a word: what TLS may have to do with it."""
    ended = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError)
    if ended and target.url.startswith("http:"):
        return "If the service has TLS, use https://; else look whether it runs (`bps serve`)."
    if ended and target.cert_file is not None:
        # The service may hang up before its alert has come.
        return _TRUSTED
    return None


def _cause(error: BaseException | None) -> ssl.SSLError | None:
    """The failure of TLS that `error` comes from."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _refuses_us(error: ssl.SSLError) -> bool:
    reason = error.reason or ""
    return "ALERT" in reason and any(word in reason for word in _OUR_CERTIFICATE)


def _alert(error: ssl.SSLError) -> str:
    return (error.reason or "").rpartition("ALERT_")[2].replace("_", " ").lower()
