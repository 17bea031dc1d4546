"""The data of candidates inside the worker: a text is parsed once, each validator has its own."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import orjson

from bps.blueprint.data import load, surely_loads
from bps.validation.api import Candidate

_KEPT_BYTES = 16 * 1_048_576
_LARGEST_BYTES = _KEPT_BYTES // 8
"""A text with more data than this is not kept: it would displace many others."""
_OWN_CHARS = 65_536
"""Base and branches of so much text together are parsed within the time and memory of the validator
that asks for them, of which that is about a hundredth; of more text, apart from both."""


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

    def __init__(
        self,
        job: dict[str, Any],
        known: KnownTexts,
        apart: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`apart`: what is done in it counts as no validator's.

        Raises:
            InvalidBlueprint: for the first text that is none.
        """
        texts: list[str] = job["texts"]
        self.text = texts[job["merged"]]
        self.base_text = None if job["base"] is None else texts[job["base"]]
        self.branch_texts = {name: texts[number] for name, number in job["branches"].items()}
        self._known = known
        self._policy = orjson.dumps(job["policy"])
        others = [text for number, text in enumerate(texts) if number != job["merged"]]
        self._apart = apart if sum(map(len, others)) > _OWN_CHARS else nullcontext
        for text in others:
            known.check(text)
        known.data_of(self.text)

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
        return made

    def of(self, text: str | None) -> Any:  # noqa: ANN401 - any data
        """A copy of the data of one of the texts."""
        return None if text is None else orjson.loads(self._known.data_of(text))

    def given(self, name: str) -> Any:  # noqa: ANN401 - any data
        """What a validator asks for, `base` or `branches`."""
        with self._apart():
            if name == "base":
                return self.of(self.base_text)
            return {each: self.of(text) for each, text in self.branch_texts.items()}


class _Asked(Candidate):
    """A candidate whose base and branches are parsed when they are first asked for."""

    __slots__ = ("made_of",)
    made_of: JobData

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - called for what is not set yet
        if name not in {"base", "branches"}:
            raise AttributeError(name)
        value = self.made_of.given(name)
        object.__setattr__(self, name, value)
        return value
