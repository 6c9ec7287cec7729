"""What the grid utility pays for a month's energy, and what generators pay on.

Shapes: Z zones, T technologies, G groups of generators, E edges of the supply graph. Money in currency a month.
"""

from __future__ import annotations

from abm.core.jit import kernel

(PAY, FUEL, CARBON, PARTS) = range(4)
"""Rows of ``amounts``: to generators, and from them for fuel and for carbon."""


@kernel(
    [
        "float64(float64[:, ::1], float64[::1], float64[::1], float64[::1], float64[::1], boolean[::1],"
        "int64[::1], int64[::1], float64, float64, float64[:, ::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def buy(
    generation,  # (Z,T) MWh
    settlement,  # (T,) for energy
    capacity_payment,  # (T,)
    fuel_cost,  # (T,) fuel and carbon
    emission,  # (T,) t/MWh
    weatherly,  # (T,) whether sites may buy directly from it
    group,  # (T,) 0 to G-1
    edge,  # (T,) edge that the energy travels on, -1: none
    carbon_price,  # currency/t
    direct_mwh,  # what sites bought directly
    amounts,  # out (PARTS,T)
    margin,  # in and out (G,) what generators have kept so far
    flow,  # in and out (E,) MWh that moved this month
):
    """Returns what the utility paid. What sites buy directly leaves the settlement of sun and wind in proportion."""
    clean = 0.0
    for i in range(settlement.size):
        made = 0.0
        for z in range(generation.shape[0]):
            made += generation[z, i]
        amounts[PAY, i] = made
        if weatherly[i]:
            clean += made
    straight = min(direct_mwh / clean, 1.0) if clean > 0.0 else 0.0
    paid = 0.0
    for i in range(settlement.size):
        made = amounts[PAY, i]
        share = 1.0 - straight if weatherly[i] else 1.0
        pay = settlement[i] * share + capacity_payment[i]
        levy = carbon_price * emission[i] * made
        fuel = max(fuel_cost[i] - levy, 0.0)
        amounts[PAY, i], amounts[FUEL, i], amounts[CARBON, i] = pay, fuel, levy
        margin[group[i]] += pay - fuel - levy
        paid += pay
        if edge[i] >= 0:
            flow[edge[i]] += made
    return paid
