"""What a month of the graph of memory and accelerators means for sites: orders left, what is on its way, what came.

Edges to sites are the last of the graph: the edge from maker c to site row is number ``c * S + row`` among them
and ``first + c * S + row`` among all.
"""

from __future__ import annotations

from abm.core.jit import kernel
from abm.core.sites.draw import CHIP_MAKERS, PROJECT

DUST = 1e-9
"""An order smaller than this is none."""

SHORT = 1e-6
"""Machines; who misses less has got all."""

EQUIPPED = 0.9
"""Part of its planned machines with which a site counts as equipped."""


@kernel(["void(int64, float64[:, ::1], float64[::1])"], allocates=False)
def wanted_of_makers(count, wanted, by_maker):
    """Machines that the first ``count`` sites still want of each maker: ``wanted`` (S,C) to ``by_maker`` (C,)."""
    by_maker[:] = 0.0
    for row in range(count):
        for c in range(by_maker.size):
            by_maker[c] += wanted[row, c]


@kernel(
    [
        "int64(int64, int64, float64[::1], float64[::1], int64[::1], int64[::1], int64[::1], int64[:, ::1],"
        "float64[::1], int64[::1], int64[:, ::1], float64[::1], float64[::1], float64[::1], float64[:, ::1],"
        "float64[::1], float64[:, ::1], float64[:, ::1], int64[::1])"
    ],
    allocates=False,
)
def take_over(
    month,
    count,  # sites
    asked,  # (E,) what waited on each edge when goods were shared
    granted,  # (E,) what was allocated
    lead,  # (E,) months to arrival
    delay,  # (E,) months that shocks add
    queue_row,  # (E,) negative where no queue by month remembers what is left of an order
    vintage,  # (C,months) newest of each maker, -1 before the first
    price,  # (V,) of machines agreed on this month
    before_sites,  # (F,) edge of the supply graph for each edge that does not go to a site, negative: none
    supply_edge,  # (C,S) the same for those to sites
    moved_over,  # (edges of the supply graph,) what left over it this month; brought up to date, but for sites
    ordered_over,  # (edges of the supply graph,) what stood ordered this month; brought up to date
    backlog,  # (E,) orders left; dust is taken away
    wanted,  # (S,C) out: the same by site and maker
    ordered,  # (S,) machines allocated and not delivered; brought up to date
    value,  # (horizon,C*S) what machines on their way cost, by month of arrival; brought up to date
    by_maker,  # (2,C) out: machines asked for, and allocated
    short,  # (C*S,) out: numbers of the edges to sites that got too little
):
    """Book what was let go and carry what makers allocated to sites; returns how many ``short`` there are."""
    makers, size = supply_edge.shape
    first = before_sites.size
    for e in range(first):
        if before_sites[e] >= 0:
            moved_over[before_sites[e]] += granted[e]
            ordered_over[before_sites[e]] += asked[e]
    found = 0
    for c in range(makers):
        by_maker[0, c] = by_maker[1, c] = 0.0
        for row in range(count):
            k = c * size + row
            e = first + k
            if backlog[e] < DUST and queue_row[e] < 0:
                backlog[e] = 0.0
            wanted[row, c] = backlog[e]
            if asked[e] <= 0.0:
                continue
            by_maker[0, c] += asked[e]
            by_maker[1, c] += granted[e]
            if supply_edge[c, row] >= 0:
                ordered_over[supply_edge[c, row]] += asked[e]
            if asked[e] - granted[e] > SHORT:
                short[found] = k
                found += 1
            if granted[e] > 0.0:
                newest = max(vintage[c, month + lead[e]], 0)
                due = (month + lead[e] + delay[e]) % value.shape[0]
                value[due, k] += granted[e] * price[newest]
                ordered[row] += granted[e]
    return found


@kernel(
    [
        "Tuple((int64, int64, float64))(int64, int64, int64, int64, int64, int64[:, ::1], float64[::1], float64[::1],"
        "float64[::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "float64[:, ::1], int64[::1], int64[::1], int64[::1], boolean[::1], int64[:, ::1], float64[::1], float64[::1],"
        "float64[::1], int64[::1], float64[::1], int64[::1], int64[:, ::1], float64[::1], float64[:, ::1],"
        "float64[:, ::1])"
    ],
    allocates=False,
)
def receive(
    month,
    count,  # sites
    first,  # edges before those to sites
    never,  # month of what has not happened
    spent,  # payments that are listed already
    vintage,  # (C,months) newest of each maker, -1 before the first
    planned,  # (S,) machines
    arrived,  # (E,) machines that reached the end of each edge this month
    backlog,  # (E,) orders that wait
    pipeline,  # (horizon,E) machines on their way
    value,  # (horizon,C*S) what those that arrive in a month cost; what this month's cost is taken away
    ordered,  # (S,) machines allocated and not delivered; brought up to date
    deposit,  # (C,S) deposits held; what goes back is taken away
    chips,  # (S,V) at work
    store,  # (S,V) waiting; what came is added
    chip_age,  # (S,V) mean month of delivery; brought up to date
    equipped_in,  # (S,) month in which the site was equipped; written where it now is
    owner,  # (S,) number of the owner
    finance,  # (S,)
    public,  # (S,) whether the state buys
    supply_edge,  # (C,S) edge of the supply graph, negative: none
    moved,  # (edges of the supply graph,) what moved this month; brought up to date
    held,  # (S,) deposits held for each site; what goes back is taken away
    cash,  # (I,) what each investor got less what it paid, owners first; brought up to date
    rows,  # out: sites that pay
    amounts,  # out: what for, currency
    payees,  # out: and whom
    equipped,  # (2,S) out: sites that count as equipped now, and the maker with whose delivery they do
    there,  # (S,) out: machines that each of these has
    by_owner,  # (2,O) out: machines, and deposits that go back
    by_maker,  # (2,C) out: machines, and what the state pays for them
):
    """Machines that reach sites go into store, deposits go back, owners or the state pay.

    Returns how many payments are listed, how many sites are equipped now, and which deposits went back to
    sites with project finance.
    """
    makers, size = deposit.shape
    now = month % value.shape[0]
    found, pooled = 0, 0.0
    by_owner[:] = 0.0
    by_maker[:] = 0.0
    for c in range(makers):
        for row in range(count):
            k = c * size + row
            number = arrived[first + k]
            if number <= 0.0:
                continue
            v = max(vintage[c, month], 0)
            ordered[row] = max(ordered[row] - number, 0.0)
            store[row, v] += number
            all_of_it = chips[row, v] + store[row, v]
            chip_age[row, v] = (chip_age[row, v] * (all_of_it - number) + month * number) / all_of_it
            has = 0.0
            for each in range(store.shape[1]):
                has += chips[row, each] + store[row, each]
            goal = EQUIPPED * planned[row]
            if planned[row] > 0.0 and has - number < goal <= has and equipped_in[row] == never:
                equipped_in[row] = month
                equipped[0, found], equipped[1, found], there[found] = row, c, has
                found += 1
            if deposit[c, row] > 0.0:
                left = backlog[first + k]
                for at in range(pipeline.shape[0]):
                    left += pipeline[at, first + k]
                back = deposit[c, row]
                if left > DUST:
                    back *= number / (number + left)
                deposit[c, row] -= back
                held[row] -= back
                cash[owner[row]] += back
                by_owner[1, owner[row]] += back
                if finance[row] == PROJECT:
                    pooled += back
            by_owner[0, owner[row]] += number
            by_maker[0, c] += number
            if supply_edge[c, row] >= 0:
                moved[supply_edge[c, row]] += number
            if public[row]:
                by_maker[1, c] += value[now, k]
            else:
                rows[spent], amounts[spent], payees[spent] = row, value[now, k], CHIP_MAKERS + c
                spent += 1
            value[now, k] = 0.0
    return spent, found, pooled
