"""Bad input over real sockets to `bps serve` on an etcd: refused by name, and nothing written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bps.identity.token_text import Token
from tests.asynchronous import eventually, run
from tests.contract import hostile
from tests.contract.exchange import Headers, Target, check_refused, request
from tests.integration.http.serving import Serving, bps, environment, etcd_for_services, serving

PLAN = "/v1/plans/EP-42"
PROMOTIONS = f"{PLAN}/promotions"
POLICY = {
    "max_blueprint_bytes": 1_048_576,
    "max_contributors": 24,
    "max_live_descendants": 32,
    "max_branches": 200,
    "max_linked_traces": 64,
    "validators": [],
}
STALE = (("If-Match", '"9-9"'),)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Serving]]:
    """A service with a plan that has an open branch, and a token with every role."""
    directory = tmp_path_factory.mktemp("bad-input")
    config = directory / "service.toml"
    config.write_text(
        "[limits]\nrequests_per_s = 1000000\nburst = 1000000\nunauthenticated_per_s = 1000000\n"
    )
    with etcd_for_services() as endpoint:
        env = environment(directory, endpoint)
        first = json.loads(bps("init", "--standalone", "-o", "json", env=env).stdout)["secret"]
        with serving("--config", str(config), env=env) as service:
            yield _set_up(Target(service.address, endpoint, first)), service
            assert service.end() == 0
            _check_log(service)


@pytest.fixture
def target(world: tuple[Target, Serving]) -> Target:
    return world[0]


def _set_up(first: Target) -> Target:
    roles = ["operator", "supervisor", "agent", "reviewer", "auditor"]
    target = Target(first.address, first.endpoint, new_token(first, "everyone", roles))
    made = target.ask("PUT", PLAN, b"title: v1\n", media="application/yaml", key="spent")
    assert made.status == 201, made.text
    cause = b'{"trace_id": "trace-1", "fingerprint": "gateway timeout is too long"}'
    assert target.ask("POST", f"{PLAN}/branches", cause).status == 201
    return target


def new_token(target: Target, principal: str, roles: list[str], **options: Any) -> str:
    body = json.dumps({"principal": principal, "roles": roles, **options}).encode()
    answer = target.ask("POST", "/v1/tokens", body)
    assert answer.status == 201, answer.text
    secret: str = answer.json["secret"]
    return secret


def _check_log(service: Serving) -> None:
    """After all that: every line is an event, none an error, none shows the machine or a secret."""
    for line in service.lines:
        text = json.dumps(line)
        assert line["level"] not in {"error", "critical"}, text
        assert "Traceback" not in text
        assert "site-packages" not in text
        assert "bps_" not in text.replace("bps_version", ""), text
    assert len(service.lines) > 300


def test_no_field_of_any_model_takes_a_value_of_another_form(target: Target) -> None:
    document = target.ask("GET", "/openapi.json").json
    before = target.written()
    sent = 0
    for method, path, schema, example in hostile.models(document):
        for name, field in schema.get("properties", {}).items():
            for value in hostile.wrong_values(field, document):
                body = hostile.encoded({**example, name: value})
                answer = target.ask(method, path, body, headers=(("If-Match", "*"),))
                where = f"{method} {path} {name}={json.dumps(value)[:60]}: {answer.text}"
                assert answer.status == 400, where
                check_refused(answer, 400, answer.json["code"])
                assert answer.json["code"] in {"INVALID_INPUT", "INVALID_ID"}, where
                assert answer.json["facts"], where
                sent += 1
    assert sent > 500
    assert target.written() == before


HOSTILE_JSON: dict[str, bytes] = {
    "NaN": b'{"reason": "a", "to": NaN}',
    "infinity": b'{"reason": "a", "to": -Infinity}',
    "1e999": b'{"reason": "a", "to": 1e999}',
    "a member twice": b'{"to": "1", "to": "2"}',
    "a member twice, once escaped": b'{"to": "1", "\\u0074o": "2"}',
    "a member twice, deep": b'{"to": {"a": {"b": 1, "b": 2}}}',
    "depth of lists": b"[" * 30_000 + b"]" * 30_000,
    "depth of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "5,000 digits": b'{"to": ' + b"9" * 5_000 + b"}",
    "5,000 digits after the point": b'{"to": 0.' + b"9" * 5_000 + b"e-5000}",
    "bad UTF-8": b'{"to": "1", "reason": "\xff\xfe"}',
    "overlong UTF-8": b'{"to": "1", "reason": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"to": "1", "reason": "\xed\xa0\x80"}',
    "half a pair": b'{"to": "1", "reason": "\\ud800"}',
    "UTF-16": '{"to": "1"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"to": "1"}',
    "__proto__": b'{"to": "1", "__proto__": {"roles": ["operator"]}}',
    "constructor": b'{"to": "1", "constructor": {"prototype": {}}}',
    "a list": b'[{"to": "1"}]',
    "text": b'"to"',
    "null": b"null",
    "nothing": b"",
    "spaces": b"   ",
    "two values": b'{"to": "1"}{"to": "1"}',
    "a comment": b'{"to": "1"} // all',
    "single quotes": b"{'to': '1'}",
    "a trailing comma": b'{"to": "1",}',
    "a control character": b'{"to": "1", "reason": "a\nb\x01"}',
    "an escaped NUL": b'{"to": "1", "reason": "a\\u0000b"}',
}


@pytest.mark.parametrize("body", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
@pytest.mark.parametrize("framed", ["length", "chunks"])
def test_hostile_json_is_refused_however_it_is_framed(
    target: Target, body: bytes, framed: str
) -> None:
    before = target.written()
    headers: Headers = ()
    if framed == "chunks":
        half = len(body) // 2
        parts = (body[:half], body[half:])
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part)
        body += b"0\r\n\r\n"
        headers = (("Transfer-Encoding", "chunked"), ("Content-Type", "application/json"))
        sent = request("POST", f"{PLAN}/reverts", headers=headers, token=target.token) + body
    else:
        sent = request("POST", f"{PLAN}/reverts", body, token=target.token)
    check_refused(target.send(sent), 400, "INVALID_INPUT")
    assert target.written() == before


BOMB = gzip.compress(b'{"reason": "' + b"a" * 30_000_000 + b'"}')
FORMS: dict[str, tuple[int, str, bytes, Headers]] = {
    "a bomb that says so": (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        BOMB,
        (("Content-Encoding", "gzip"),),
    ),
    "a bomb in another coding": (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        b"{}",
        (("Content-Encoding", "br, identity"),),
    ),
    "a bomb that says nothing": (400, "INVALID_INPUT", BOMB[:60_000], ()),
    "text": (415, "UNSUPPORTED_MEDIA_TYPE", b"{}", (("Content-Type", "text/plain"),)),
    "a form": (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        b"to=1",
        (("Content-Type", "application/x-www-form-urlencoded"),),
    ),
    "latin-1": (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        b"{}",
        (("Content-Type", "application/json; charset=latin-1"),),
    ),
    "an empty type": (415, "UNSUPPORTED_MEDIA_TYPE", b"{}", (("Content-Type", ""),)),
    "too long": (413, "REQUEST_TOO_LARGE", b" " * 65_537, ()),
    "a length beyond int64": (
        400,
        "REQUEST_ERROR",
        b"",
        (("Content-Length", "99999999999999999999"), ("Content-Type", "application/json")),
    ),
    "a negative length": (400, "REQUEST_ERROR", b"", (("Content-Length", "-1"),)),
    "two lengths": (
        400,
        "REQUEST_ERROR",
        b"{}",
        (("Content-Length", "2"), ("Content-Length", "3")),
    ),
    "length and chunks": (
        400,
        "REQUEST_ERROR",
        b"{}",
        (("Content-Length", "2"), ("Transfer-Encoding", "chunked")),
    ),
    "two keys": (
        400,
        "INVALID_INPUT",
        b"{}",
        (("Idempotency-Key", "a"), ("Idempotency-Key", "b")),
    ),
    "two types": (
        400,
        "INVALID_INPUT",
        b"{}",
        (("Content-Type", "application/json"), ("Content-Type", "text/yaml")),
    ),
    "two tags": (400, "INVALID_INPUT", b"{}", (("If-Match", "*"), ("If-Match", '"1-a"'))),
    "a folded header": (400, "REQUEST_ERROR", b"{}", (("X-Note", "a\r\n b"),)),
    "a lone CR in a header": (400, "REQUEST_ERROR", b"{}", (("X-Note", "a\rSet-Cookie: b"),)),
    "a lone LF in a header": (400, "REQUEST_ERROR", b"{}", (("X-Note", "a\nno header"),)),
    "a NUL in a header": (400, "REQUEST_ERROR", b"{}", (("X-Note", "a\0b"),)),
    "a space before the colon": (400, "REQUEST_ERROR", b"{}", (("X-Note ", "a"),)),
    "a header injected by the key": (
        400,
        "INVALID_INPUT",
        b"{}",
        (("Idempotency-Key", "a\r\nIdempotency-Key: b"),),
    ),
    "an escaped CR LF in the key": (400, "INVALID_ID", b"{}", (("Idempotency-Key", "a%0d%0ab"),)),
    "an empty key": (400, "INVALID_ID", b"{}", (("Idempotency-Key", ""),)),
    "a long key": (400, "INVALID_ID", b"{}", (("Idempotency-Key", "a" * 129),)),
    "a key that is a path": (400, "INVALID_ID", b"{}", (("Idempotency-Key", "../../tokens/x"),)),
    "a key in latin-1": (400, "INVALID_ID", b"{}", (("Idempotency-Key", "\xe9"),)),
    "a malformed tag": (400, "INVALID_INPUT", b"{}", (("If-Match", "1-a"),)),
    "a stale tag": (412, "PRECONDITION_FAILED", b"{}", STALE),
    "a weak tag": (412, "PRECONDITION_FAILED", b"{}", (("If-Match", 'W/"1-a"'),)),
}


@pytest.mark.parametrize("case", FORMS.values(), ids=FORMS)
def test_a_request_of_another_form_is_refused(
    target: Target, case: tuple[int, str, bytes, Headers]
) -> None:
    status, code, body, headers = case
    before = target.written()
    check_refused(target.ask("POST", PROMOTIONS, body, headers=headers), status, code)
    assert target.written() == before


def test_a_key_that_is_missing_or_spent_is_refused(target: Target) -> None:
    before = target.written()
    unkeyed = request("POST", PROMOTIONS, b"{}", token=target.token)
    lines = [line for line in unkeyed.split(b"\r\n") if not line.startswith(b"Idempotency-Key")]
    check_refused(target.send(b"\r\n".join(lines)), 400, "IDEMPOTENCY_KEY_REQUIRED")
    for path, body in ((PROMOTIONS, b"{}"), (f"{PLAN}/reverts", b'{"to": "1"}')):
        answer = target.ask("POST", path, body, key="spent")
        check_refused(answer, 422, "IDEMPOTENCY_KEY_REUSED")
    other = target.ask("PUT", PLAN, b"title: v2\n", media="application/yaml", key="spent")
    check_refused(other, 422, "IDEMPOTENCY_KEY_REUSED")
    again = target.ask("PUT", PLAN, b"title: v1\n", media="application/yaml", key="spent")
    assert (again.status, again.headers["bps-outcome"]) == (201, "repeated")
    assert target.written() == before


def test_a_policy_is_replaced_by_who_has_seen_the_one_before_only(target: Target) -> None:
    before, body = target.written(), json.dumps(POLICY).encode()
    check_refused(target.ask("PUT", "/v1/policy", body), 428, "PRECONDITION_REQUIRED")
    stale = target.ask("PUT", "/v1/policy", body, headers=STALE)
    check_refused(stale, 412, "PRECONDITION_FAILED")
    assert stale.json["facts"]["etag"].startswith('"1-')
    assert target.written() == before


@pytest.mark.parametrize(
    "plan",
    [
        "EP-42%2f..",
        "EP-42%2F..%2F..%2Ftokens",
        "..%2fEP-42",
        "%2e%2e/tokens",
        "EP-42%00",
        "EP-42%0d%0aSet-Cookie:a",
        "EP-42%20",
        "EP-42;a=b",
        "EP-42%3f",
        "EP-42%25",
        "%45%50-42%5c",
        "ep-42",
        "EP-042",
        "EP-99999999999",
        "EP-4\xb2",
        "EP-%D9%A4%D9%A2",
        "..",
        ".",
        "%",
        "%zz",
    ],
)
@pytest.mark.parametrize("rest", ["", "/canonical", "/branches/br66400e4b", "/events"])
def test_an_id_has_one_form_and_leads_nowhere_else(target: Target, plan: str, rest: str) -> None:
    answer = target.ask("GET", f"/v1/plans/{plan}{rest}")
    assert answer.status in {400, 404}, answer.text
    check_refused(answer, answer.status, answer.json["code"])
    if rest == "":
        before = target.written()
        wrong = target.ask("PUT", f"/v1/plans/{plan}", b"title: v1\n", media="application/yaml")
        assert wrong.status in {400, 404, 405}, wrong.text
        assert target.written() == before


def test_who_is_not_or_no_longer_somebody_comes_in_nowhere(target: Target) -> None:
    short = new_token(target, "short", ["supervisor"], expires_in_s=1)
    ended = new_token(target, "ended", ["supervisor"])
    revocation = f"/v1/tokens/{ended.split('_')[1]}/revocation"
    assert target.ask("POST", revocation, b"{}").status == 200

    async def expired() -> bool:
        return target.ask("GET", "/v1/identity", token=short).status == 401

    run(eventually(expired, "the token has expired"))
    flipped = "0" if target.token[40] != "0" else "1"
    stranger = Token.generate().text()
    before, strangers, told = target.written(), set(), {}
    for token in (
        short,
        ended,
        stranger,
        target.token[:40] + flipped + target.token[41:],
        target.token[:-1],
        target.token.upper(),
        f"{target.token} {target.token}",
        "null",
        "",
        "x" * 8_000,
    ):
        answer = target.ask(
            "POST", PROMOTIONS, b"{}", headers=(("Authorization", f"Bearer {token}"),)
        )
        check_refused(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert not token or token not in answer.text
        if token in {short, ended}:
            told[token] = answer.json["detail"]
        else:
            strangers.add((answer.json["detail"], answer.json["next_action"]))
    assert len(strangers) == 1, "the answer tells what is wrong with a token that never was"
    assert told == {short: "This token is expired.", ended: "This token is revoked."}
    assert target.written() == before


def test_a_role_does_what_the_matrix_says_and_no_more(target: Target) -> None:
    auditor = new_token(target, "auditor-1", ["auditor"])
    before = target.written()
    for method, path in (
        ("POST", PROMOTIONS),
        ("POST", "/v1/plans/EP-99/promotions"),
        ("PUT", "/v1/policy"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/keys"),
        ("PUT", PLAN),
    ):
        # What it sends is not looked at: a body that is none changes nothing of the answer.
        answer = target.ask(method, path, b"\xff", media="x/y", token=auditor)
        check_refused(answer, 403, "FORBIDDEN")
    assert target.written() == before


def test_after_all_that_the_service_is_as_it_was(target: Target) -> None:
    assert target.ask("GET", "/readyz").status == 200
    for proof in ("verification", "replay"):
        answer = target.ask("GET", f"{PLAN}/{proof}")
        assert (answer.status, answer.json["events"]) == (200, "2"), answer.text
