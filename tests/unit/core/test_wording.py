"""No sentence for a person prints a Python list, or what pydantic says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core.core_schema import ErrorType

import bps
from bps.core.errors import MalformedRecord
from bps.core.wording import places_of, problem_of, reason_of

ROOT = Path(bps.__file__).parent
FILES = sorted({*ROOT.rglob("*.py")} - {ROOT / "merge" / "named_tuple.py"})
"""But for the one that says to programmers what Python's own named tuples say."""
WORDING = ROOT / "core" / "wording.py"
COLLECTIONS = {"sorted", "list", "tuple", "set", "frozenset", "dict", "fromkeys", "errors"}
TYPES = (
    "list",
    "tuple",
    "set",
    "frozenset",
    "dict",
    "Sequence",
    "Collection",
    "Iterable",
    "Mapping",
)
PYDANTIC = re.compile(r"\.errors\(\)|\[.msg.\]|\[.loc.\]")


def _is_collection(value: ast.expr | None, names: set[str]) -> bool:
    match value:
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in COLLECTIONS
        case ast.Name(id=name):
            return name in names
        case ast.Subscript(value=inner, slice=ast.Slice()):
            return _is_collection(inner, names)
        case ast.BinOp(left=left, right=right):
            return _is_collection(left, names) or _is_collection(right, names)
    return False


def _is_typed_so(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).startswith(TYPES)


def _collections(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The names in a function that surely stand for a collection."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    names = {each.arg for each in arguments if _is_typed_so(each.annotation)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_collection(node.value, names):
            names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names |= {node.target.id} if _is_typed_so(node.annotation) else set()
    return names


def _caught(tree: ast.Module) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """The handlers that may have an error of pydantic, with its name."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or node.type is None:
            continue
        if node.name is not None and "ValidationError" in ast.unparse(node.type):
            yield node.name, node


def _formatted(tree: ast.AST) -> Iterator[ast.FormattedValue]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FormattedValue))


def leaks(code: str) -> list[int]:
    """The lines whose text shows a collection as Python writes it, or pydantic's words."""
    tree = ast.parse(code)
    found = [each for each in _formatted(tree) if PYDANTIC.search(ast.unparse(each.value))]
    for name, handler in _caught(tree):
        said = {name, f"str({name})", f"repr({name})"}
        found += [each for each in _formatted(handler) if ast.unparse(each.value) in said]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            names = _collections(function)
            found += [each for each in _formatted(function) if _is_collection(each.value, names)]
    return sorted({each.lineno for each in found})


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    b = sorted(a)\n    raise E(f'these: {b}')",
        "def f(names: Sequence[str]):\n    raise E(f'these: {names[:3]}')",
        "def f(a):\n    raise E(f'these: {[each for each in a]!r}')",
        "try:\n    pass\nexcept (KeyError, ValidationError) as error:\n    x = f'that: {error}'",
        "x = f\"that: {error.errors()[0]['type']}\"",
        "x = f\"that: {each['msg']}\"",
    ],
)
def test_the_walk_sees_what_it_is_for(code: str) -> None:
    assert leaks(code)


def test_no_sentence_shows_a_collection_or_the_words_of_pydantic() -> None:
    found = {str(path.relative_to(ROOT)): leaks(path.read_text()) for path in FILES}
    assert {path: lines for path, lines in found.items() if lines} == {}
    said = [each for each in FILES if "Input should" in each.read_text()]
    assert said == []
    assert [each for each in FILES if '["msg"]' in each.read_text() and each != WORDING] == []


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_every_type_of_error_has_words_of_ours(kind: str) -> None:
    said = problem_of({"type": kind, "loc": (), "msg": "Input should be so", "ctx": {}})
    assert said.startswith("it")
    assert "Input" not in said


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    count: Annotated[int, Field(ge=1, le=9)] = 1
    name: Annotated[str, Field(min_length=2, max_length=4, pattern="^a")] = "aa"
    items: Annotated[list[str], Field(max_length=1)] = []
    choice: Literal["x", "y"] = "x"
    wanted: bool

    @model_validator(mode="after")
    def _agrees(self) -> _Model:
        if self.count == 5:
            raise ValueError("give another number than 5")
        return self


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "it is missing"),
        ({"wanted": 1}, "it has to be true or false"),
        ({"wanted": True, "other": 1}, "it is unknown"),
        ({"wanted": True, "count": "1"}, "it has to be a whole number"),
        ({"wanted": True, "count": 0}, "it has to be 1 or more"),
        ({"wanted": True, "count": 10}, "it has to be 9 or less"),
        ({"wanted": True, "count": 5}, "give another number than 5"),
        ({"wanted": True, "name": 1}, "it has to be text"),
        ({"wanted": True, "name": "a"}, "it has fewer characters than 2"),
        ({"wanted": True, "name": "aaaaa"}, "it has more characters than 4"),
        ({"wanted": True, "name": "bb"}, "it does not have the form ^a"),
        ({"wanted": True, "items": "x"}, "it has to be a list"),
        ({"wanted": True, "items": ["x", "y"]}, "it has more items than 1"),
        ({"wanted": True, "choice": "z"}, "it has to be 'x' or 'y'"),
        ([], "it has to be an object"),
    ],
)
def test_says_what_is_wrong(fields: object, problem: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _Model.model_validate(fields)
    assert problem_of(refusal.value.errors()[0]) == problem


def test_says_why_records_do_not_fit() -> None:
    with pytest.raises(ValidationError) as refusal:
        _Model.model_validate({"count": 0})
    assert places_of(refusal.value) == "count, wanted"
    assert reason_of(refusal.value) == "these fields are wrong: count, wanted"
    assert reason_of(KeyError("a digest")) == "a digest is missing"
    assert reason_of(MalformedRecord("It is damaged.")) == "It is damaged"
