"""ARIO, the adaptive regional input-output model (Hallegatte 2008, 2014), as a thin layer on the month.

Industries are nodes, sales edges, inventories input slots; unmet orders lapse and are rationed in
proportion to orders. What ARIO adds is how orders are placed, how capacity is lost and stretched,
and how what was destroyed is rebuilt. One step is a day by default. See README.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .ario_kernel import run_ario
from .month import State, workspace
from .network import Floats, Ints, Network, amounts


class Economy:
    """An input-output table at equilibrium, in units of output a step.

    Parameters
    ----------
    intermediate : float[n, n]
        ``[i, j]``: what industry j uses of industry i's output in a step.
    final : float[n]
        What final demand takes of each industry in a step; output is the row sum of both.
    product : int[n], optional
        What each industry makes; inventories are kept by product, so that several industries (the same
        sector of several regions) feed one inventory. Each its own by default.
    inventory : float or float[products]
        Steps of use held of each product, at least one.
    psi : float
        Part of the inventory below which production is cut, in (0, 1] (Hallegatte 2014).

    Raises
    ------
    ValueError
        Negative or missing numbers, an industry without output, inventories below a step's use.
    """

    def __init__(
        self,
        intermediate: ArrayLike,
        final: ArrayLike,
        *,
        product: ArrayLike | None = None,
        inventory: ArrayLike = 90.0,
        psi: float = 0.8,
    ):
        table = np.array(intermediate, np.float64)
        n = self.industries = table.shape[0]
        if table.shape != (n, n) or not (np.isfinite(table) & (table >= 0.0)).all():
            raise ValueError(f"intermediate has shape {table.shape}; it is a square of finite numbers >= 0")
        self.final = amounts("final", final, n)
        self.output: Floats = table.sum(axis=1) + self.final
        if not (self.output > 0.0).all():
            raise ValueError(f"industry {int(np.argmin(self.output))} has no output")
        made = np.arange(n) if product is None else np.asarray(product, np.int64)
        products = int(made.max()) + 1
        held = amounts("inventory", inventory, products)
        if (held < 1.0).any():
            raise ValueError(
                f"inventory {int(np.argmin(held))} is {held.min()}; at least a step's use is held"
            )
        if not 0.0 < psi <= 1.0:
            raise ValueError(f"psi is {psi}; it is above 0 and at most 1")
        self.value_added: Floats = self.output - table.sum(axis=0)
        by_product = np.zeros((products, n))
        np.add.at(by_product, made, table)
        owner, good = np.nonzero(by_product.T > 0.0)
        self.slot_product: Ints = good
        """Product of each inventory."""
        slot_of = np.full((n, products), -1)
        slot_of[owner, good] = np.arange(owner.size)
        seller, buyer = np.nonzero(table > 0.0)
        everyone = np.arange(n)
        per_unit = by_product[good, owner] / self.output[owner]
        self.held: Floats = held[good]
        self.table_orders: Floats = table[seller, buyer]
        self.part: Floats = self.table_orders / by_product[made[seller], buyer]
        """By sale: the seller's part of what the buyer uses of the product."""
        self.sales = seller.size
        # Sales first, then final demand, then rebuilding; node n stands for whoever is neither.
        self.network = Network(
            n + 1,
            np.concatenate((seller, everyone, everyone)),
            np.concatenate((buyer, np.full(2 * n, n))),
            lead=np.concatenate((np.ones(self.sales, np.int64), np.zeros(2 * n, np.int64))),
            slot=np.concatenate((slot_of[buyer, made[seller]], np.full(2 * n, -1))),
            slot_node=owner,
            per_unit=per_unit,
            hold=np.maximum(psi * self.held, 1.0),
            lapse=True,
            slack=0,
        )
        self.stock: Floats = self.held * per_unit * self.output[owner]


class Path(NamedTuple):
    """What an economy did, by step and industry, in units of output a step."""

    made: Floats
    demand: Floats
    """Orders of all kinds."""
    capacity: Floats
    delivered: Floats
    """To final demand."""
    unmet: Floats
    """Final demand that was not met, and is lost."""
    stretch: Floats
    """Overproduction factor."""
    damage: Floats
    """Capital not yet rebuilt, at the beginning of the step."""
    inventory: Floats
    """By step and product: inventories of all industries, relative to equilibrium."""


def ario(
    economy: Economy,
    steps: int,
    *,
    loss: ArrayLike = 0.0,
    damage: ArrayLike = 0.0,
    at: int = 1,
    capital: ArrayLike | None = None,
    rebuild_share: ArrayLike | None = None,
    rebuild_steps: float = 60.0,
    rebuild_after: int = 0,
    final: ArrayLike | None = None,
    stretch_most: float = 1.25,
    stretch_steps: float = 365.0,
    restock_steps: float = 60.0,
    local: bool = True,
    lagged: bool = False,
) -> Path:
    """Run ``steps`` steps from equilibrium under a shock.

    Parameters
    ----------
    loss : float[steps, n], float[n] or float
        Part of capacity that is lost for reasons outside the model, in [0, 1].
    damage, at, capital : float[n], int, float[n]
        Capital destroyed at the beginning of step ``at`` and the whole capital of each industry (four years'
        value added by default, at 365 steps a year); capacity falls by the ratio.
    rebuild_share, rebuild_steps : float[n], float
        Parts of the rebuilding done by each industry (equal to their part of final demand by default), and
        the time over which what is left is ordered.
    rebuild_after : int
        Steps from the destruction to the first orders for rebuilding.
    final : float[steps, n], optional
        Final demand; that of equilibrium by default.
    stretch_most, stretch_steps : float
        Largest overproduction factor, and the time in which it is approached.
    restock_steps : float
        Time in which gaps in inventories are closed.
    local
        Whether orders for a product move to sellers with more capacity left (Hallegatte 2014; BoARIO's "alt").
    lagged
        Whether overproduction follows a step's demand less the output of the step before, as in BoARIO, or
        less that of the same step (Hallegatte 2008).

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For a number out of its range.
    """
    n, g = economy.industries, economy.network
    lost = np.array(np.broadcast_to(np.asarray(loss, np.float64), (steps, n)), order="C")
    if not ((lost >= 0.0) & (lost <= 1.0)).all():
        raise ValueError("loss is outside 0 to 1")
    demand = economy.final if final is None else np.asarray(final, np.float64)
    wanted = np.array(np.broadcast_to(demand, (steps, n)), order="C")
    if not (np.isfinite(wanted) & (wanted >= 0.0)).all():
        raise ValueError("final demand is not a finite number >= 0")
    destroyed = amounts("damage", damage, n)
    whole = amounts("capital", 4.0 * 365.0 * economy.value_added.clip(0.0) if capital is None else capital, n)
    if (destroyed > whole).any():
        i = int(np.argmax(destroyed > whole))
        raise ValueError(f"damage {i} is {destroyed[i]}, more than the capital of {whole[i]}")
    share = amounts("rebuild_share", economy.final if rebuild_share is None else rebuild_share, n)
    if not share.sum() > 0.0:
        raise ValueError("rebuild_share adds up to nothing")
    for name, value in (
        ("rebuild_steps", rebuild_steps),
        ("stretch_steps", stretch_steps),
        ("restock_steps", restock_steps),
    ):
        if not value >= 1.0:
            raise ValueError(f"{name} is {value}; it is at least 1")
    if not stretch_most >= 1.0:
        raise ValueError(f"stretch_most is {stretch_most}; it is at least 1")
    state = State(g, input_stock=economy.stock)
    path = np.empty((7, steps, n))
    inventory = np.empty((steps, g.slots))
    run_ario(
        steps, economy.sales, local, lagged, g.levels, g.level_first, g.first, g.out, g.supplier, g.buyer, g.slot,
        g.slot_node, g.slot_first, g.rule, g.lead, g.group, g.queue_row, g.tier, g.share, g.hold, g.lapse,
        g.per_unit, g.target, economy.output, economy.table_orders, economy.part, economy.held,
        lost, wanted, destroyed, at, at + rebuild_after, whole, share / share.sum(), float(rebuild_steps),
        float(stretch_most), float(stretch_steps), float(restock_steps), state.stock, state.input_stock,
        state.backlog, state.queue, state.pipeline, *workspace(g), path, inventory,
    )  # fmt: skip
    products = int(economy.slot_product.max(initial=-1)) + 1
    normal = np.bincount(economy.slot_product, economy.stock, products)
    held = np.zeros((steps, products))
    np.add.at(held.T, economy.slot_product, inventory.T)
    with np.errstate(invalid="ignore"):
        relative = np.where(normal > 0.0, held / normal, 1.0)
    made, demand, capacity, delivered, unmet, stretch, left = path
    return Path(made, demand, capacity, delivered, unmet, stretch, left, relative)
