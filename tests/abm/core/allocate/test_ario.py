"""ARIO on the month: equilibrium, losses, recovery, and what follows from them in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.allocate.ario import Economy, Path, ario
from tests.abm.core.allocate.tables import table
from tests.benchmarks.supply import our_run

STEPS = 400


def economy(regions: int = 2, sectors: int = 3, **values: Any) -> Economy:
    use, final, _ = table(regions, sectors)
    return Economy(use, final, product=np.tile(np.arange(sectors), regions), **{"inventory": 30.0, **values})


def dent(industries: int, depth: float, *, first: int = 5, last: int = 34) -> np.ndarray:
    """Industry 0 loses ``depth`` of its capacity for thirty steps."""
    loss = np.zeros((STEPS, industries))
    loss[first : last + 1, 0] = depth
    return loss


def lost(e: Economy, path: Path) -> float:
    """Output lost, in steps of the whole economy's output."""
    return float((e.output - path.made).sum() / e.output.sum())


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(2, 5), st.integers(0, 1000), st.floats(2.0, 90.0), st.booleans())
def test_without_a_shock_the_economy_stays_where_it_is(
    regions: int, sectors: int, seed: int, inventory: float, local: bool
) -> None:
    use, final, output = table(regions, sectors, seed)
    e = Economy(use, final, product=np.tile(np.arange(sectors), regions), inventory=inventory)
    np.testing.assert_allclose(e.output, output)
    path = ario(e, STEPS, local=local)
    np.testing.assert_allclose(path.made, np.tile(output, (STEPS, 1)), rtol=1e-9)
    np.testing.assert_allclose(path.delivered, np.tile(final, (STEPS, 1)), rtol=1e-9)
    np.testing.assert_allclose(path.inventory, 1.0, rtol=1e-9)
    np.testing.assert_allclose(path.stretch, 1.0, rtol=1e-9)


def test_every_unit_made_is_delivered_used_or_stored() -> None:
    """Inventory of a product a step later = inventory + made - to final demand - used by all industries."""
    use, final, output = table(1, 4)
    e = Economy(use, final, inventory=20.0)
    path = ario(e, STEPS, loss=dent(4, 0.5))
    normal = 20.0 * use.sum(axis=1)
    stock = path.inventory * normal
    used = path.made @ (use / output).T
    np.testing.assert_allclose(
        stock[1:], (stock + path.made - path.delivered - used)[:-1], rtol=1e-9, atol=1e-9 * normal.max()
    )
    np.testing.assert_allclose(path.delivered + path.unmet, np.tile(final, (STEPS, 1)))


def test_the_first_steps_by_hand() -> None:
    """Two industries of 10: the first sells 2 to itself, 3 to the second and 5 to final demand.

    It loses 30 % of capacity in step 0: all orders for it are met to 70 %. Inventories of ten steps' use
    keep production up; in step 1 the gap of a step's shortfall is ordered back over 60 steps.
    """
    e = Economy([[2.0, 3.0], [4.0, 1.0]], [5.0, 5.0], inventory=10.0)
    path = ario(e, 3, loss=[0.3, 0.0])
    np.testing.assert_allclose(path.made[0], [7.0, 10.0])
    np.testing.assert_allclose(path.delivered[0], [3.5, 5.0])
    np.testing.assert_allclose(path.stretch[1], [1.0 + 0.25 * 0.3 / 365.0, 1.0])
    # The first industry used 1.4 of its own and got 1.4; its goal falls to 7 units' use, 14 of 20 held.
    # The second used 3 and got 2.1. Of its own goods the second got 1 and used 1; the first used 2.8 and
    # got 4, so it holds 41.2 where 7 units' use for ten steps is 28. Both goods of the first: use + gap / 60.
    np.testing.assert_allclose(path.demand[1], [5.0 + 1.4 + 3.0 + 0.9 / 60.0, 5.0 + 2.8 + 1.0])
    np.testing.assert_allclose(path.made[1], [7.0 * path.stretch[1, 0], 8.8])


def test_overproduction_may_follow_the_output_of_the_step_before() -> None:
    e = Economy([[2.0, 3.0], [4.0, 1.0]], [5.0, 5.0], inventory=10.0)
    path = ario(e, 4, loss=[0.3, 0.0], lagged=True)
    assert path.stretch[1].tolist() == [1.0, 1.0]
    scarcity = 1.0 - path.made[1, 0] / path.demand[2, 0]
    assert path.stretch[2, 0] == pytest.approx(1.0 + 0.25 * scarcity / 365.0, rel=1e-12)


BOARIO = {
    "recover": {
        5: [0.7, 1.0, 0.7, 1.0],
        6: [0.700125114130, 0.975781897356, 0.700119222538, 0.926966692297],
        20: [0.721844045744, 0.968207683210, 0.721717714333, 0.907853570218],
        60: [0.926587273347, 0.957075936143, 0.925931962338, 0.966455194239],
    },
    "rebuild": {
        5: [0.97, 1.0, 0.97],
        6: [0.970014857591, 0.991727111505, 0.970014573651],
        20: [0.971547136718, 0.991344424663, 0.973268396184],
        60: [0.588950459170, 0.590449010632, 0.604032046497],
    },
}
"""Output relative to equilibrium by day, from BoARIO 0.7.2 run on the same tables and shocks by
`tests/benchmarks/supply.py`: two regions of two sectors, and one of three."""


@pytest.mark.parametrize(("kind", "shape", "depth"), [("recover", (2, 2), 0.3), ("rebuild", (1, 3), 0.03)])
def test_the_days_after_a_shock_are_those_of_boario(kind: str, shape: tuple[int, int], depth: float) -> None:
    use, _, output = table(*shape)
    damage = np.zeros(output.size)
    damage[[0, 2]] = depth * 4.0 * (output - use.sum(axis=0))[[0, 2]]
    e, shock = our_run(*shape, damage, kind)
    path = ario(e, 61, lagged=True, **{k: v[:61] if k == "loss" else v for k, v in shock.items()})
    for day, made in BOARIO[kind].items():
        np.testing.assert_allclose(path.made[day] / e.output, made, atol=2e-9)


def test_losses_grow_with_the_shock_and_faster_than_it() -> None:
    e = economy()
    depths = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8])
    losses = np.array([lost(e, ario(e, STEPS, loss=dent(6, depth))) for depth in depths])
    assert losses[0] == pytest.approx(0.0, abs=1e-9)
    assert (np.diff(losses) > 0.0).all()
    assert losses[-1] / 0.8 > losses[1] / 0.1


def test_those_who_lost_no_capacity_lose_output_too() -> None:
    """Upstream because less is ordered, downstream once inventories fall below psi of their target."""
    e = economy(inventory=5.0)
    path = ario(e, STEPS, loss=dent(6, 0.6))
    hit = (e.output - path.made).clip(0.0).sum(axis=0) / e.output
    assert (hit[1:] > 0.5).all()
    direct = 0.6 * 30 * e.output[0] / e.output.sum()
    assert lost(e, path) > 1.5 * direct


def test_inventories_cushion_those_downstream() -> None:
    """The longer the inventories, the smaller the loss."""
    losses = [
        lost(e, ario(e, STEPS, loss=dent(6, 0.6)))
        for e in (economy(inventory=held) for held in (3.0, 10.0, 30.0, 90.0))
    ]
    assert (np.diff(losses) < 0.0).all()


def test_capacity_is_stretched_in_scarcity_and_comes_back() -> None:
    e = economy()
    path = ario(e, 4000, loss=np.vstack((dent(6, 0.5), np.zeros((3600, 6)))))
    assert path.stretch[34, 0] > 1.008
    assert path.stretch.max() < 1.25
    assert (np.diff(path.stretch[5:35, 0]) > 0.0).all()
    assert (path.made[35:60, 0] > e.output[0]).any()  # makes up for what inventories lost
    np.testing.assert_allclose(path.stretch[-1], 1.0, atol=1e-3)
    np.testing.assert_allclose(path.made[-1], e.output, rtol=1e-3)
    np.testing.assert_allclose(path.inventory[-1], 1.0, rtol=5e-3)


def test_without_overproduction_the_loss_is_larger() -> None:
    e = economy()
    plain, stretched = (ario(e, STEPS, loss=dent(6, 0.5), stretch_most=most) for most in (1.0, 1.25))
    assert plain.made.max() <= e.output.max() * (1.0 + 1e-12)
    assert lost(e, plain) > lost(e, stretched)


@pytest.mark.parametrize("part", [0.9, 0.5])
def test_a_lasting_fall_of_demand_ends_where_leontief_says(part: float) -> None:
    """Output converges to the inverse of (I - A) times the new final demand."""
    use, final, output = table(1, 5)
    e = Economy(use, final, inventory=10.0)
    less = final * np.where(np.arange(5) == 2, part, 1.0)
    path = ario(e, 3000, final=less)
    target = np.linalg.solve(np.eye(5) - use / output, less)
    np.testing.assert_allclose(path.made[-1], target, rtol=1e-6)
    assert (target < output).all()


def forever(loss: float, inventory: float) -> Path:
    """One industry that uses half its output and loses a part of its capacity for good."""
    return ario(Economy([[5.0]], [5.0], inventory=inventory), 6000, loss=[loss], stretch_most=1.0)


@pytest.mark.parametrize(("loss", "inventory"), [(0.1, 90.0), (0.22, 90.0), (0.05, 30.0), (0.09, 30.0)])
def test_under_a_lasting_shortage_inventories_settle_where_orders_replace_what_is_used(
    loss: float, inventory: float
) -> None:
    """With f of orders met: f (use + gap / tau) = use, so that S / target = 1 - (1 / f - 1) tau / n."""
    path = forever(loss, inventory)
    f = 1.0 - loss
    assert path.made[-1, 0] == pytest.approx(10.0 * f)
    assert path.inventory[-1, 0] / f == pytest.approx(1.0 - (1.0 / f - 1.0) * 60.0 / inventory, rel=1e-6)


@pytest.mark.parametrize("inventory", [30.0, 90.0])
def test_beyond_the_shortage_that_psi_bears_output_falls_below_capacity(inventory: float) -> None:
    bearable = 1.0 - 1.0 / (1.0 + 0.2 * inventory / 60.0)
    under, over = (forever(bearable + step, inventory) for step in (-0.005, 0.005))
    assert under.made[-1, 0] == pytest.approx(under.capacity[-1, 0])
    assert over.made[-1, 0] < 0.99 * over.capacity[-1, 0]


def test_orders_move_to_sellers_with_capacity_left() -> None:
    """Two regions make the same goods; the loss is smaller where buyers may turn to the other region."""
    use, final, _ = table(2, 3, trade=1.0)
    e = Economy(use, 0.9 * final, product=np.tile(np.arange(3), 2), inventory=10.0)
    slack = np.full((STEPS, 6), 0.0)
    slack[5:100, 0] = 0.5
    turned, stayed = (ario(e, STEPS, loss=slack, local=local) for local in (True, False))
    assert turned.demand[20:90, 3].mean() > stayed.demand[20:90, 3].mean()
    assert lost(e, turned) < lost(e, stayed)


def test_with_capacity_to_spare_rebuilding_is_exponential() -> None:
    """What is left after t steps is D (1 - 1/tau)^t; the demand for it adds to output, as a closed form."""
    use, final, output = table(1, 4)
    e = Economy(use, final)
    damage = np.array([1.0, 3.0, 0.0, 0.0]) * output
    path = ario(
        e, 100, damage=damage, at=2, final=0.8 * final, rebuild_share=[0, 0, 1.0, 1.0], rebuild_steps=50.0,
        capital=4000.0 * output,
    )  # fmt: skip
    left = np.where(np.arange(100)[:, None] < 2, 0.0, damage * 0.98 ** (np.arange(100)[:, None] - 2.0))
    np.testing.assert_allclose(path.damage, left, rtol=1e-9)
    np.testing.assert_allclose(
        path.capacity, output * (1.0 - left / (4000.0 * output)) * path.stretch, rtol=1e-9
    )


def test_rebuilding_waits_as_long_as_it_is_told() -> None:
    e = economy()
    damage = np.array([1.0, 0, 0, 0, 0, 0]) * e.output
    path = ario(e, 60, damage=damage, at=3, rebuild_after=10)
    assert (path.damage[3:13, 0] == damage[0]).all()
    assert path.damage[14, 0] < damage[0]
    assert not path.damage[:3].any()


def test_destroyed_capital_costs_more_than_the_capacity_it_carried() -> None:
    """Rebuilding competes for what is scarce: the loss of output is larger than the direct one."""
    e = economy()
    damage = np.zeros(6)
    damage[0] = 0.05 * 4.0 * 365.0 * e.value_added[0]
    path = ario(e, 1000, damage=damage, rebuild_share=[0, 0, 1.0, 0, 0, 0])
    direct = float(
        (path.damage[:, 0] / (4.0 * 365.0 * e.value_added[0]) * e.output[0]).sum() / e.output.sum()
    )
    assert lost(e, path) > direct


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(6)))
def test_the_order_of_industries_plays_no_part(order: list[int]) -> None:
    use, final, _ = table(2, 3)
    product = np.tile(np.arange(3), 2)
    one = ario(Economy(use, final, product=product, inventory=10.0), 200, loss=dent(6, 0.6)[:200])
    other = ario(
        Economy(use[np.ix_(order, order)], final[order], product=product[order], inventory=10.0),
        200,
        loss=dent(6, 0.6)[:200, order],
    )
    np.testing.assert_allclose(other.made, one.made[:, order], rtol=1e-7)
    np.testing.assert_allclose(other.inventory, one.inventory, rtol=1e-7)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"intermediate": [[1.0, 2.0]]}, "it is a square"),
        ({"intermediate": [[1.0, -2.0], [1.0, 1.0]]}, "finite numbers >= 0"),
        ({"final": [1.0, -1.0]}, "final 1 is -1.0"),
        ({"intermediate": [[0.0, 0.0], [1.0, 1.0]], "final": [0.0, 1.0]}, "industry 0 has no output"),
        ({"inventory": 0.5}, "at least a step's use"),
        ({"psi": 1.5}, "psi is 1.5"),
    ],
)
def test_a_table_that_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    call: dict[str, Any] = {"intermediate": [[1.0, 1.0], [1.0, 1.0]], "final": [1.0, 1.0], **given}
    with pytest.raises(ValueError, match=said):
        Economy(call.pop("intermediate"), call.pop("final"), **call)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"loss": 1.5}, "loss is outside"),
        ({"damage": [1e12, 0.0]}, "more than the capital"),
        ({"rebuild_share": 0.0}, "adds up to nothing"),
        ({"rebuild_steps": 0.5}, "rebuild_steps is 0.5"),
        ({"stretch_most": 0.9}, "stretch_most is 0.9"),
        ({"final": -1.0}, "final demand is not"),
    ],
)
def test_a_shock_that_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    e = Economy([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0])
    with pytest.raises(ValueError, match=said):
        ario(e, 10, **given)
