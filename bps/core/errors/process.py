"""Failures of this process, not of a request or the store: set-up, plugins, output."""

from __future__ import annotations

from bps.core.errors.base import BpsError


class ResultNotShown(BpsError):
    """The act is done (or the record read), but its result could not be printed or written.

    facts: op, out.
    """

    code = "RESULT_NOT_SHOWN"
    retryable = True


class ConfigError(BpsError):
    """The process is not set up to do this."""

    code = "CONFIG_ERROR"


class PluginError(BpsError):
    """A plugin is missing, crashed, hung or is not allowed."""

    code = "PLUGIN_ERROR"


class InternalError(BpsError):
    """This program made a mistake. facts: at (file and line), exception."""

    code = "INTERNAL_ERROR"


class ClaimFailed(BpsError):
    """A claim of the demonstration did not hold; every line printed before it did."""

    code = "CLAIM_FAILED"
