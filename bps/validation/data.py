"""The data of candidates inside the worker: a text is parsed once, each validator has its own."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import orjson

from bps.blueprint.alike import loads_alike
from bps.blueprint.data import load, surely_loads
from bps.core.errors import InvalidBlueprint
from bps.validation.api import Candidate

_KEPT_BYTES = 16 * 1_048_576
_LARGEST_BYTES = _KEPT_BYTES // 8
"""A text with more data than this is not kept: it would displace many others."""
_OWN_CHARS = 65_536
"""Base and branches of so much text together are parsed, and the merged blueprint of so much is
copied, within the time and memory of the validator that asks for them, of which that is about a
hundredth; of more text, apart from both."""
_DATA = frozenset({"base", "branches", "merged"})


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

    def check(self, text: str, loaded: str | None = None) -> None:
        """Raises InvalidBlueprint, as `data_of`; its data are not made where that can be spared.

        `loaded` is a text that has data.
        """
        if loaded is not None and loads_alike(text, loaded):
            return
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
        self._apart = apart
        self._are_large = sum(map(len, others)) > _OWN_CHARS
        try:
            self._merged = known.data_of(self.text)
        except InvalidBlueprint:
            for text in others:
                known.check(text)
            raise
        for text in others:
            known.check(text, self.text)

    def candidate(self, config: dict[str, Any]) -> Candidate:
        """One with data of its own, so that no validator can edit another's."""
        made = _Asked.__new__(_Asked)
        given = {
            "merged_text": self.text,
            "config": orjson.loads(orjson.dumps(config)),
            "policy": orjson.loads(self._policy),
            "base_text": self.base_text,
            "made_of": self,
        }
        for name, value in given.items():
            object.__setattr__(made, name, value)
        return made

    def given(self, name: str) -> Any:  # noqa: ANN401 - any data
        """What a validator asks for: `merged`, `base` or `branches`."""
        large = len(self.text) > _OWN_CHARS if name == "merged" else self._are_large
        with self._apart() if large else nullcontext():
            if name == "merged":
                return orjson.loads(self._merged)
            if name == "base":
                return self._of(self.base_text)
            return {each: self._of(text) for each, text in self.branch_texts.items()}

    def _of(self, text: str | None) -> Any:  # noqa: ANN401 - any data
        """A copy of the data of one of the texts."""
        if text is None:
            return None
        data = self._merged if text == self.text else self._known.data_of(text)
        return orjson.loads(data)


class _Asked(Candidate):
    """A candidate whose data are its own from when they are first asked for."""

    __slots__ = ("made_of",)
    made_of: JobData

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - called for what is not set yet
        if name not in _DATA:
            raise AttributeError(name)
        value = self.made_of.given(name)
        object.__setattr__(self, name, value)
        return value
