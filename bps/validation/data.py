"""The data of candidates inside the worker: a text is parsed once, each validator has its own."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from bps.blueprint.data import load, surely_loads
from bps.validation.api import Candidate

_KEPT_BYTES = 16 * 1_048_576
_LARGEST_BYTES = _KEPT_BYTES // 8
"""A text with more data than this is not kept: it would displace many others."""
_LATER_CHARS = 65_536
"""Base and branches of so much text together are parsed when a validator asks for them: within
its own time and memory, of which that is about a hundredth."""


class KnownTexts:
    """The data of the last texts, as JSON: what is canonical is the base of the next candidate."""

    def __init__(self) -> None:
        self._data: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def data_of(self, text: str) -> bytes:
        """Its data as JSON, by the digest of its bytes. Raises InvalidBlueprint."""
        name = _name(text)
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

    def check(self, text: str) -> None:
        """Raises InvalidBlueprint, as `data_of`; its data are not made where that can be spared."""
        if _name(text) not in self._data and not surely_loads(text):
            self.data_of(text)


def _name(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class JobData:
    """What a job says of its candidate; see `bps.validation.job.Job.message`."""

    def __init__(self, job: dict[str, Any], known: KnownTexts) -> None:
        """Raises InvalidBlueprint: for the first text that is none."""
        texts: list[str] = job["texts"]
        self.text = texts[job["merged"]]
        self.base_text = None if job["base"] is None else texts[job["base"]]
        self.branch_texts = {name: texts[number] for name, number in job["branches"].items()}
        self._known = known
        self._policy = orjson.dumps(job["policy"])
        others = [text for number, text in enumerate(texts) if number != job["merged"]]
        self._later = sum(map(len, others)) <= _LATER_CHARS
        for text in texts:
            if text is not self.text and self._later:
                known.check(text)
            else:
                known.data_of(text)

    def candidate(self, config: dict[str, Any]) -> Candidate:
        """One with data of its own, so that no validator can edit another's."""
        made = _Asked.__new__(_Asked)
        given = {
            "merged": self.of(self.text),
            "merged_text": self.text,
            "config": orjson.loads(orjson.dumps(config)),
            "policy": orjson.loads(self._policy),
            "base_text": self.base_text,
            "made_of": self,
        }
        for name, value in given.items():
            object.__setattr__(made, name, value)
        if not self._later:
            _ = made.base, made.branches
        return made

    def of(self, text: str | None) -> Any:  # noqa: ANN401 - any data
        """A copy of the data of one of the texts."""
        return None if text is None else orjson.loads(self._known.data_of(text))


class _Asked(Candidate):
    """A candidate whose base and branches are parsed when they are first asked for."""

    __slots__ = ("made_of",)
    made_of: JobData

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - called for what is not set yet
        if name == "base":
            value: Any = self.made_of.of(self.made_of.base_text)
        elif name == "branches":
            texts: Mapping[str, str] = self.made_of.branch_texts
            value = {each: self.made_of.of(text) for each, text in texts.items()}
        else:
            raise AttributeError(name)
        object.__setattr__(self, name, value)
        return value
