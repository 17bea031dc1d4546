"""The data of candidates inside the worker: a text is parsed once, each validator has its own."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from typing import Any

import orjson

from bps.blueprint.data import load
from bps.validation.api import Candidate

_KEPT_BYTES = 16 * 1_048_576
_LARGEST_BYTES = _KEPT_BYTES // 8
"""A text with more data than this is not kept: it would displace many others."""


class KnownTexts:
    """The data of the last texts, as JSON: what is canonical is the base of the next candidate."""

    def __init__(self) -> None:
        self._data: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def data_of(self, text: str) -> bytes:
        """Its data as JSON, by the digest of its bytes. Raises InvalidBlueprint."""
        name = hashlib.sha256(text.encode()).digest()
        if (known := self._data.get(name)) is not None:
            self._data.move_to_end(name)
            return known
        gc.disable()
        try:
            data = orjson.dumps(load(text))
        finally:
            gc.enable()
        if len(data) <= _LARGEST_BYTES:
            self._data[name] = data
            self._bytes += len(data)
            while self._bytes > _KEPT_BYTES:
                self._bytes -= len(self._data.popitem(last=False)[1])
        return data


class JobData:
    """What a job says of its candidate, parsed; see `bps.validation.job.Job.message`."""

    def __init__(self, job: dict[str, Any], known: KnownTexts) -> None:
        """Raises InvalidBlueprint: for the first text that is none."""
        texts = job["texts"]
        data = [known.data_of(text) for text in texts]
        self.text: str = texts[job["merged"]]
        self._base = b"null" if job["base"] is None else data[job["base"]]
        self._branches = {name: data[number] for name, number in job["branches"].items()}
        self._merged = data[job["merged"]]
        self._policy = orjson.dumps(job["policy"])

    def candidate(self, config: dict[str, Any]) -> Candidate:
        """One with data of its own, so that no validator can edit another's."""
        return Candidate(
            base=orjson.loads(self._base),
            branches={name: orjson.loads(data) for name, data in self._branches.items()},
            merged=orjson.loads(self._merged),
            merged_text=self.text,
            config=orjson.loads(orjson.dumps(config)),
            policy=orjson.loads(self._policy),
        )
