"""What is spent on sites is paid in full, by those whose turn it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.sites import draw as core

SITES, OWNERS, INVESTORS, PAYEES, MONTH, DECIDED, EDGES = 7, 3, 5, 2, 30, 4, 6
EQUITY, HELD = core.OTHERS, core.OTHERS + INVESTORS
PAID = core.OTHERS + 2 * INVESTORS


def world(seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    holds = draw.random((SITES, INVESTORS)) < 0.5
    holds[0] = False
    return {
        "refill_support": np.array([0.0, 0.3]),
        "owner": draw.integers(0, OWNERS, SITES),
        "status": draw.integers(DECIDED, DECIDED + 2, SITES),
        "energised": draw.integers(MONTH - 25, MONTH + 1, SITES),
        "finance": draw.integers(0, 3, SITES),
        "cost": draw.uniform(1.0, 9.0, SITES) * (draw.random(SITES) < 0.7),
        "support": draw.uniform(0.0, 0.3, SITES),
        "loan_share": draw.uniform(0.0, 0.7, SITES),
        "equity": draw.random((SITES, INVESTORS)) * holds,
        "loan": draw.random(SITES),
        "drawn": draw.random(SITES),
        "paid_in": draw.random(SITES),
        "equity_paid": draw.random((SITES, INVESTORS)),
        "deployed": draw.random(INVESTORS),
        "cash": draw.random(INVESTORS),
    }


def spend(
    given: dict[str, np.ndarray], rows: list[int], amounts: list[float], payee: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    by_owner, sums = np.ones((OWNERS, PAID + PAYEES)), np.ones(core.SUMS)
    edge = np.random.default_rng(len(rows)).integers(-1, EDGES, by_owner.shape)
    moved = np.zeros(EDGES)
    core.draw(
        MONTH, DECIDED, np.array(rows), np.array(amounts), np.array(payee), *given.values(), edge, moved, by_owner, sums
    )  # fmt: skip
    assert moved == pytest.approx(np.bincount(edge[edge >= 0], by_owner[edge >= 0], EDGES))
    return by_owner, sums


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10_000), st.integers(0, SITES - 1), st.floats(1.0, 1e9), st.integers(0, 1))
def test_one_spending_is_paid_as_the_rule_says(seed: int, row: int, amount: float, payee: int) -> None:
    given, before = world(seed), world(seed)
    by_owner, sums = spend(given, [row], [amount], [payee])
    owner, cost = given["owner"][row], given["cost"][row]
    fresh = given["status"][row] == DECIDED or MONTH - given["energised"][row] <= core.FRESH_MONTHS
    support = amount * (given["support"][row] if fresh and cost > 0.0 else given["refill_support"][payee])
    debt = amount * given["loan_share"][row] if fresh else 0.0
    share = given["equity"][row] if fresh else np.zeros(INVESTORS)
    share = share / share.sum() if share.sum() > 0.0 else np.eye(INVESTORS)[owner]
    parts = np.maximum((amount - support - debt) * share, 0.0)
    wanted = np.zeros_like(by_owner)
    wanted[owner, [core.SUPPORT, core.LOAN, core.CLAIM, PAID + payee]] = support, debt, debt, amount
    wanted[owner, EQUITY:HELD] = parts * (np.arange(INVESTORS) != owner)
    wanted[owner, HELD:PAID] = parts
    assert by_owner == pytest.approx(wanted)
    for name, moved in (("loan", debt), ("drawn", amount), ("paid_in", amount)):
        assert given[name] - before[name] == pytest.approx(moved * np.eye(SITES)[row], rel=1e-6)
    assert given["equity_paid"] - before["equity_paid"] == pytest.approx(
        np.outer(np.eye(SITES)[row], parts), rel=1e-6
    )
    assert given["deployed"] - before["deployed"] == pytest.approx(parts, rel=1e-6)
    assert before["cash"] - given["cash"] == pytest.approx(parts, rel=1e-6)
    assert sums == pytest.approx(
        [
            support,
            0.0 if fresh and cost > 0.0 else amount,
            amount - support,
            parts.sum() * (given["finance"][row] == 2),
        ]
    )


def test_spendings_together_are_the_same_as_one_after_the_other() -> None:
    rows, amounts, payee = [0, 3, 3, 5, 6], [10.0, 20.0, 5.0, 0.0, 8.0], [0, 1, 0, 1, 1]
    together, apart = world(3), world(3)
    by_owner, sums = spend(together, rows, amounts, payee)
    single = [
        spend(apart, [row], [amount], [to]) for row, amount, to in zip(rows, amounts, payee, strict=True)
    ]
    assert by_owner == pytest.approx(sum(one for one, _ in single))
    assert sums == pytest.approx(sum(one for _, one in single))
    for name, values in together.items():
        assert values == pytest.approx(apart[name]), name
