"""Every rule refuses what it names, at the right place, and accepts the near miss."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bps.blueprint.profile import check
from bps.blueprint.rules import Rule
from bps.core.errors import Fact, InvalidBlueprint

NESTED_64 = "a: " + "[" * 63 + "]" * 63
WIDE = "a: [" + "x, " * 99_996 + "x]"  # root, key, sequence and 99,997 entries

AMBIGUOUS = (
    "n N off 0777 010 08 0o17 1:30 12:30 190:20:30 190:20:30.15 22:22 1_000 0_7 1.5_0"
    " 0b1010 +0x1F -0x1F 1e3 1E3 1.0e3 12e03 .5e3 +.5 -.5 <<"
)

REFUSED: list[tuple[Rule, str | bytes, int, int]] = [
    (Rule.TOO_LARGE, b"a: " + b"x" * 1_048_574, 1, 1),
    (Rule.NOT_UTF_8, b"a: 1\nb: x\xff", 2, 5),
    (Rule.NOT_UTF_8, b"a: \xc0\xaf", 1, 4),
    (Rule.NOT_UTF_8, b"a: \xf4\x90\x80\x80", 1, 4),
    (Rule.NOT_UTF_8, b"a: x\xc3", 1, 5),
    *[
        (Rule.NOT_UTF_8, "a: 1\n".encode(encoding), 1, 1)
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    ],
    (Rule.SURROGATE, b"a: \xed\xa0\xbd\xed\xb8\x80", 1, 4),
    (Rule.SURROGATE, 'a: 1\nb: "x\\ud83d"', 2, 6),
    (Rule.SURROGATE, 'a: "\\uDE00"', 1, 5),
    (Rule.BYTE_ORDER_MARK, b"\xef\xbb\xbfa: 1", 1, 1),
    (Rule.BYTE_ORDER_MARK, "a: x\ufeff", 1, 5),
    (Rule.NUL, b"a: one\r\nb: t\0", 2, 5),
    (Rule.NUL, 'a: "x\\0"', 1, 4),
    (Rule.CONTROL_CHARACTER, "a: \x1b[31m", 1, 4),
    (Rule.CONTROL_CHARACTER, "a: x\x7f", 1, 5),
    (Rule.CONTROL_CHARACTER, "é: x\x9b", 1, 5),
    (Rule.CONTROL_CHARACTER, "a: 1\rb: x\x0c", 2, 5),
    (Rule.NEXT_LINE, "a: x\x85b: y", 1, 5),
    (Rule.LINE_SEPARATOR, "# é\u2028a: y", 1, 4),
    (Rule.LINE_SEPARATOR, "a: 'x\u2029'", 1, 6),
    (Rule.NONCHARACTER, "a: \ufdd0", 1, 4),
    (Rule.NONCHARACTER, "a: \uffff", 1, 4),
    (Rule.NONCHARACTER, "a: \U0010fffe", 1, 4),
    (Rule.NONCHARACTER, 'a: "\\U0001FFFE"', 1, 4),
    (Rule.EMPTY, "", 1, 1),
    (Rule.EMPTY, "# nothing\n\n", 1, 1),
    (Rule.EMPTY, "---\n", 1, 1),
    (Rule.DIRECTIVE, "%YAML 1.2\n---\na: 1\n", 1, 1),
    (Rule.DIRECTIVE, "\n# x\n%TAG ! tag:x,2000:\n---\na: 1\n", 3, 1),
    (Rule.DIRECTIVE, "%UNKNOWN\n---\na: 1\n", 1, 1),
    (Rule.DIRECTIVE, "a: 1\n%TAG ! x\n---\nb: 1\n", 2, 1),
    (Rule.SEVERAL_DOCUMENTS, "a: 1\n---\nb: 2\n", 2, 1),
    (Rule.SEVERAL_DOCUMENTS, "a: 1\n---\n", 2, 1),
    (Rule.SEVERAL_DOCUMENTS, "a: 1\n...\nb: 2\n", 3, 1),
    (Rule.SEVERAL_DOCUMENTS, "a: 1\n...\n# x\n---\nb: 2\n", 4, 1),
    (Rule.SEVERAL_DOCUMENTS, "a: 1\n...\n%YAML 1.2\n---\nb: 2\n", 3, 1),
    (Rule.ROOT_NOT_A_MAPPING, "# x\n- a\n", 2, 1),
    (Rule.ROOT_NOT_A_MAPPING, "  text\n", 1, 3),
    (Rule.ROOT_NOT_A_MAPPING, "~\n", 1, 1),
    (Rule.ROOT_NOT_A_MAPPING, '""', 1, 1),
    (Rule.SYNTAX, "\ta: 1", 1, 1),
    (Rule.SYNTAX, "a: @x", 1, 4),
    (Rule.SYNTAX, "a: b: c", 1, 5),
    (Rule.SYNTAX, "a: 'x", 1, 6),
    (Rule.SYNTAX, "a: [1, 2\nb: 3", 2, 2),
    (Rule.SYNTAX, "{a: 1}\nb: 2", 2, 1),
    (Rule.SYNTAX, 'a: "\\q"', 1, 5),
    (Rule.SYNTAX, "a: 1\n" + "k" * 1_030 + ": 1", 2, 1_031),
    (Rule.TAG, "a: !!str 1", 1, 4),
    (Rule.TAG, "a: ! 1", 1, 4),
    (Rule.TAG, "!!map {a: 1}", 1, 1),
    (Rule.TAG, "a:\n- !!python/object/apply:os.system [x]", 2, 3),
    (Rule.TAG, "a: !undefined!x 1", 1, 4),
    (Rule.TAG, "!local a: 1", 1, 1),
    (Rule.MERGE_KEY, "b: &b {x: 1}\na:\n  <<: *b", 3, 3),
    (Rule.NON_STRING_KEY, "a: 1\n1: x", 2, 1),
    (Rule.NON_STRING_KEY, "1.5: x", 1, 1),
    (Rule.NON_STRING_KEY, "true: x", 1, 1),
    (Rule.NON_STRING_KEY, "null: x", 1, 1),
    (Rule.NON_STRING_KEY, "~: x", 1, 1),
    (Rule.NON_STRING_KEY, "0o17: x", 1, 1),
    (Rule.NON_STRING_KEY, ".inf: x", 1, 1),
    (Rule.NON_STRING_KEY, "{? : 1}", 1, 4),
    (Rule.NON_STRING_KEY, "? [a]\n: b", 1, 3),
    (Rule.NON_STRING_KEY, "? {a: 1}\n: b", 1, 3),
    (Rule.NON_STRING_KEY, "a: &k b\n*k : 2", 2, 1),
    (Rule.DUPLICATE_KEY, "a: 1\nb: 2\na: 3", 3, 1),
    (Rule.DUPLICATE_KEY, '"b\\x61r": 1\nbar: 2', 2, 1),
    (Rule.DUPLICATE_KEY, "x:\n- {a: 1, 'a': 2}", 2, 10),
    (Rule.DUPLICATE_KEY, '"a b": 1\n? a\n  b\n: 2', 2, 3),
    (Rule.AMBIGUOUS_SCALAR, "a: yes", 1, 4),
    (Rule.AMBIGUOUS_SCALAR, "a: [x, NO]", 1, 8),
    (Rule.AMBIGUOUS_SCALAR, "On: 1", 1, 1),
    (Rule.AMBIGUOUS_SCALAR, "y: 1", 1, 1),
    *[(Rule.AMBIGUOUS_SCALAR, f"a: {value}", 1, 4) for value in (AMBIGUOUS.split())],
    (Rule.AMBIGUOUS_SCALAR, "a: =", 1, 4),
    (Rule.NON_FINITE_NUMBER, "a: .nan", 1, 4),
    (Rule.NON_FINITE_NUMBER, "a: -.INF", 1, 4),
    (Rule.NUMBER_OUT_OF_RANGE, "a: 9223372036854775808", 1, 4),
    (Rule.NUMBER_OUT_OF_RANGE, "a: -9223372036854775808", 1, 4),
    (Rule.NUMBER_OUT_OF_RANGE, "a: 0x8000000000000000", 1, 4),
    (Rule.NUMBER_OUT_OF_RANGE, "a: 1.0e+999", 1, 4),
    (Rule.NUMBER_OUT_OF_RANGE, "a: " + "9" * 100_000, 1, 4),
    (Rule.UNDEFINED_ALIAS, "a: *x\nb: &x 1", 1, 4),
    (Rule.UNDEFINED_ALIAS, "*x", 1, 1),
    (Rule.RECURSIVE_ALIAS, "a: &x [*x]", 1, 8),
    (Rule.RECURSIVE_ALIAS, "&x a: 1\nb: &y {c: [*y]}", 2, 12),
    (Rule.DUPLICATE_ANCHOR, "a: &x 1\nb: &x 2", 2, 4),
    (Rule.ALIAS_EXPANSION, "a: &x [" + "v, " * 50 + "v]\nb: [" + "*x, " * 40 + "]", 2, 5),
    (Rule.TOO_MANY_NODES, WIDE.replace("[", "[x, "), 1, 299_996),
    (Rule.TOO_DEEP, NESTED_64.replace("[]", "[[]]"), 1, 67),
    (Rule.TOO_DEEP, "x: &x [[]]\n" + NESTED_64.replace("[]", "[*x]"), 2, 67),
]

ACCEPTED: list[str | bytes] = [
    b"a: " + b"x" * 1_048_573,
    "a: 1",
    "a: 1\r\nb: 2\r\n",
    "a: 1\rb: 2\r",
    "---\na: 1\n...\n",
    "# c\n--- # d\na: 1\n... # e\n\n# f\n...",
    "a:\t1\n",
    "{a: 1}",
    '{"a":1}',
    "a: é \U0001f600",
    'a: "\\u2028\\u2029\\x85\\uFEFF\\e\\x7f\\n\\/"',
    "a: '%YAML'\nb: '---'\nc: |\n  ---\n  %TAG\n",
    "a: x !!str y",
    '"<<": 1',
    "'1': x\n\"true\": w\n'': z",
    "2024-01-01: day",
    "a: {x: 1}\nb: {x: 1}",
    "a: 1\nA: 2",
    "'yes': 'no'\na: \"0777\"\nb: '1:30'",
    "a: [yEs, Yess, 0, -0, +12, 07, 00, 0x1F, 1.5, .5, 1., 1.0e+3, ~, '']",
    "a:\n- 2024-01-01\n- 2001-12-14t21:59:43.10-05:00\n- 08:30\n- 2001-12-14 21:59:43.10 -5",
    "a:\n- 8080:80\n- 1:60\n- ::1\n- http://x:80/",
    "a: [1.2.3, v1.2, ., .., 1-2, 10.0.0.1, 3px, 1/2]",
    "a: [null, true, False]",
    "a: [9223372036854775807, -9223372036854775807, 0x7fffffffffffffff, 1.0e+308]",
    "a: &x 1\nb: [*x, *x]",
    "a: &x {k: [1, 2]}\nb: &y [*x]\nc: *y",
    "a: &x [" + "v, " * 50 + "v]\nb: [" + "*x, " * 5 + "]",
    WIDE,
    NESTED_64,
]


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def refusal(data: bytes) -> dict[str, Fact] | None:
    try:
        check(data)
    except InvalidBlueprint as refused:
        return refused.facts
    return None


@pytest.mark.parametrize(
    ("rule", "text", "line", "column"), REFUSED, ids=lambda value: ascii(value)[:40]
)
def test_a_violation_is_refused_by_name_and_place(
    rule: Rule, text: str | bytes, line: int, column: int
) -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        check(as_bytes(text))
    facts = refused.value.facts
    assert (facts["rule"], facts["line"], facts["column"]) == (rule.value, line, column)
    assert facts["hint"]
    assert refused.value.message.startswith(f"Line {line}, column {column}: ")
    assert len(refused.value.message) < 300


def test_every_rule_is_in_the_table() -> None:
    assert {rule for rule, *_ in REFUSED} == set(Rule)


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda value: ascii(value)[:40])
def test_a_near_miss_is_accepted(text: str | bytes) -> None:
    data = as_bytes(text)
    facts = check(data)
    assert (facts.sha256, facts.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_wide_encodings_are_named(encoding: str, mark: str) -> None:
    with pytest.raises(InvalidBlueprint, match=encoding):
        check(f"{mark}a: 1".encode(encoding))


def test_the_hint_suggests_the_quoted_form() -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        check(b"a: 0777")
    assert '"0777"' in str(refused.value.facts["hint"])


def test_the_cap_is_the_callers() -> None:
    with pytest.raises(InvalidBlueprint, match="5 bytes and may have 4"):
        check(b"a: 12", max_bytes=4)


def test_the_first_violation_in_the_document_is_named() -> None:
    with pytest.raises(InvalidBlueprint) as refused:
        check(b"a: 1\nb: 0777\nc: yes\na: 2\n---\n")
    assert refused.value.facts["line"] == 2


@pytest.mark.parametrize(
    ("text", "title", "tasks"),
    [
        ("title: T\nname: M\ntasks: [a, {b: 1}, [c, d]]", "T", 3),
        ("name: M\nx: {title: T, tasks: [a]}", "M", None),
        ("title: 5\ntasks: {}", None, None),
        ("title: '5'\ntasks: []", "5", 0),
        ("title: [T]", None, None),
    ],
)
def test_facts_come_from_the_root_alone(text: str, title: str | None, tasks: int | None) -> None:
    facts = check(text.encode())
    assert (facts.title, facts.task_count) == (title, tasks)


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!|>'\"%#\\,? \n\r\t0.u<=~", max_size=60))
@example("a: &a\n- *a\n")
def test_any_bytes_are_accepted_or_refused_by_name(text: str | bytes) -> None:
    facts = refusal(as_bytes(text))
    assert facts is None or facts["rule"] in set(Rule)
    assert facts is None or {"line", "column", "hint"} <= facts.keys()
