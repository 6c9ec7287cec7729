"""What makers of equipment, cooling and crews deliver to sites in a month, and over which edges it is booked."""

from __future__ import annotations

from abm.core.jit import kernel


@kernel(
    [
        "boolean(int64, int64[::1], int64[:, ::1], int64[::1], float64[::1], float64[:, ::1], float64[::1],"
        "float64[::1], float64[::1])"
    ],
    allocates=False,
)
def serve_all(
    count,  # sites
    good,  # (M,) good of each maker, a row of ``asked``; one maker for each good
    edge,  # (M,cast) number of the supply graph's edge from maker to owner; negative: none
    owner,  # (S,) row of the cast
    output,  # (M,) or more: MW that makers can deliver this month
    asked,  # (G,S) MW
    sent,  # (M,) out: MW that each maker delivers
    moved,  # (E,) MW on each edge this month; brought up to date
    ordered,  # (E,) MW that stood ordered there; brought up to date
):
    """Where every maker can do all that is asked of it, book that; False, with nothing booked, where one cannot."""
    for m in range(good.size):
        sent[m] = 0.0
        for row in range(count):
            sent[m] += asked[good[m], row]
        if sent[m] > output[m]:
            return False
    for m in range(good.size):
        for row in range(count):
            amount = asked[good[m], row]
            if amount > 0.0 and edge[m, owner[row]] >= 0:
                moved[edge[m, owner[row]]] += amount
                ordered[edge[m, owner[row]]] += amount
    return True


@kernel(
    [
        "void(int64, int64[::1], int64[:, ::1], int64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1],"
        "int8[:, ::1], float64[:, ::1], int8[:, ::1], float64[:, ::1], float64[::1], float64[::1], float64[::1],"
        "float64[::1])"
    ],
    allocates=False,
)
def deliver(
    count,  # sites
    good,  # (M,) good of each maker, a row of ``got``
    edge,  # (M,cast) number of the supply graph's edge from maker to owner; negative: none
    owner,  # (S,) row of the cast
    orders,  # (M,S) MW asked of each maker
    granted,  # (M,S) MW let go
    arrived,  # (M,S) MW that reached the site
    bound,  # (M,S) why less was let go than asked
    got,  # (G,S) out: what reached the site from all makers; rows of goods that nobody makes stay as they are
    why,  # (G,S) out: the greatest of the makers' ``bound``; likewise
    on_way,  # (G,S) MW let go and not arrived; brought up to date
    sent,  # (M,) out: MW let go by each maker
    landed,  # (M,) out: MW of each maker that arrived
    moved,  # (E,) MW on each edge this month; brought up to date
    ordered,  # (E,) MW that stood ordered there; brought up to date
):
    """Add up what came to each site, what each maker let go, and what moved on each edge."""
    for m in range(good.size):
        for row in range(count):
            got[good[m], row] = 0.0
            why[good[m], row] = 0
        sent[m] = landed[m] = 0.0
    for m in range(good.size):
        g = good[m]
        for row in range(count):
            left, came = granted[m, row], arrived[m, row]
            sent[m] += left
            landed[m] += came
            got[g, row] += came
            why[g, row] = max(why[g, row], bound[m, row])
            on_way[g, row] += left - came
            if (orders[m, row] > 0.0 or came > 0.0) and edge[m, owner[row]] >= 0:
                moved[edge[m, owner[row]]] += came
                ordered[edge[m, owner[row]]] += orders[m, row]
