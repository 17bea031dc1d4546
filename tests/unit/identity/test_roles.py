"""The authorisation matrix, cell by cell: who may do what is said here a second time, by hand."""

from __future__ import annotations

from itertools import product

import pytest

from bps.identity.roles import ALLOWED, Identity, Operation, Role

TABLE = """
                    supervisor  reviewer  operator  auditor  agent
identity.read       yes         yes       yes       yes      yes
plan.read           yes         yes       yes       yes      yes
plan.register       yes         -         yes       -        -
branch.open         yes         -         -         -        -
branch.submit       yes         -         -         -        yes
branch.fail         yes         -         -         -        yes
branch.rebase       yes         -         -         -        -
promotion.promote   yes         -         -         -        -
promotion.revert    yes         -         -         -        -
review.claim        -           yes       -         -        -
review.release      yes         yes       yes       -        -
review.resolve      -           yes       -         -        -
review.complete     yes         yes       -         -        -
review.reject       -           yes       -         -        -
events.read         yes         yes       yes       yes      yes
proof.run           yes         -         yes       yes      -
doctor.read         -           -         yes       yes      -
mode.read           yes         yes       yes       yes      yes
mode.write          -           -         yes       -        -
policy.read         yes         yes       yes       yes      yes
policy.replace      -           -         yes       -        -
initiative.read     yes         yes       yes       yes      yes
initiative.create   yes         -         yes       -        -
token.read          -           -         yes       yes      -
token.write         -           -         yes       -        -
key.read            yes         yes       yes       yes      yes
key.write           -           -         yes       -        -
checkpoint.read     -           -         yes       yes      -
rollback.accept     -           -         yes       -        -
"""


def _cells() -> dict[tuple[str, str], bool]:
    head, *rows = TABLE.strip("\n").splitlines()
    roles = head.split()
    found: dict[tuple[str, str], bool] = {}
    for row in rows:
        operation, *cells = row.split()
        found |= {(role, operation): cell == "yes" for role, cell in zip(roles, cells, strict=True)}
    return found


CELLS = _cells()


def test_the_table_has_a_cell_for_each_role_and_operation() -> None:
    assert set(CELLS) == set(product(map(str, Role), map(str, Operation)))
    assert set(ALLOWED) == set(Operation)


@pytest.mark.parametrize(("role", "operation"), list(product(Role, Operation)))
def test_a_role_may_do_exactly_what_the_table_says(role: Role, operation: Operation) -> None:
    identity = Identity("someone", frozenset({role}), "0" * 16)
    assert identity.may(operation) is CELLS[role.value, operation.value]


def test_several_roles_may_do_what_one_of_them_may() -> None:
    both = Identity("someone", frozenset({Role.AGENT, Role.AUDITOR}), "0" * 16)
    for operation in Operation:
        either = CELLS["agent", operation.value] or CELLS["auditor", operation.value]
        assert both.may(operation) is either


def test_without_a_role_nothing_is_allowed() -> None:
    assert not any(Identity("someone", frozenset(), "0" * 16).may(each) for each in Operation)
