"""Memory for accelerators: orders among its makers, what is due to makers of chips, and what moved. In GB.

``feeds`` lists the F edges over which memory comes to makers of chips, as rows (edge of the graph, place of the
memory maker, place of the chip maker): first the ``free`` edges from what is sold freely, then those from reserves.
"""

from __future__ import annotations

from abm.core.jit import helper, kernel

ABROAD, FREELY, KEPT, RESERVED, BY_MAKER = range(5)
"""Places among what a month moves: sold abroad, sold to makers of chips, kept back, taken out of reserves; from
``BY_MAKER`` on, two for each maker of chips: received and used."""


@helper
def split(feeds, first, last, capped, volume, left, sums, orders):
    """Order what is ``left`` to each chip maker over the feeds from ``first`` to ``last``, in proportion to ``volume``.

    Over a ``capped`` feed no more is ordered than its volume.
    """
    total, placed = sums[0], sums[1]
    for c in range(left.size):
        total[c] = placed[c] = 0.0
    for i in range(first, last):
        total[feeds[i, 2]] += volume[i]
    for i in range(first, last):
        c = feeds[i, 2]
        asked = left[c] * volume[i] / total[c] if total[c] > 0.0 else 0.0
        if capped:
            asked = min(asked, volume[i])
        orders[feeds[i, 0]] = asked
        placed[c] += asked
    for c in range(left.size):
        left[c] = max(left[c] - placed[c], 0.0)


@kernel(
    [
        "float64(float64[::1], float64[::1], float64[::1], float64[::1], int64[:, ::1], int64, float64[::1], int64[::1],"
        "float64[::1], int64[::1], float64[::1], float64[:, ::1], float64[::1])"
    ],
    allocates=False,
)
def sell(
    offered,  # (2M,) by memory maker what it sells freely, then by memory maker what it keeps back
    output,  # (M,) part of this that a shock leaves
    held,  # (C,) share of free memory that each chip maker has under contract
    left,  # (C,) in and out: memory that it wants; what finds no order stays
    feeds,  # (F,3)
    free,  # the first of them: from what is sold freely
    passes,  # (F,) part that a shock to the edge leaves
    reserve,  # (M,) nodes of the reserves
    stock,  # (N,) what lies there
    abroad,  # (M,) edges to the rest of the world
    volume,  # (F,) room
    sums,  # (2,C) room
    orders,  # (E,) out: orders over the feeds, and from abroad, which asks for more than there is
):
    """Orders for memory: from the reserve first, then by what each memory maker has under contract.

    Returns what all memory makers sell freely.
    """
    makers, count = output.size, feeds.shape[0]
    sold = 0.0
    for m in range(makers):
        sold += offered[m] * output[m]
        orders[abroad[m]] = 2.0 * offered[m]
    for i in range(count):
        m = feeds[i, 1]
        if i < free:
            volume[i] = held[feeds[i, 2]] * (offered[m] * output[m]) * passes[i]
        else:
            volume[i] = (stock[reserve[m]] + offered[makers + m] * output[m]) * passes[i]
    split(feeds, free, count, True, volume, left, sums, orders)
    split(feeds, 0, free, False, volume, left, sums, orders)
    return sold


@kernel(["void(int64, float64[:, ::1], int64[:, ::1], float64[:, ::1])"], allocates=False)
def due(
    now,
    pipeline,  # (horizon,E) what is on its way, by month of arrival modulo the horizon
    feeds,  # (F,3)
    found,  # (C,months) out: what arrives at each chip maker in each month from now on
):
    found[:] = 0.0
    for k in range(found.shape[1]):
        at = (now + k) % pipeline.shape[0]
        for i in range(feeds.shape[0]):
            found[feeds[i, 2], k] += pipeline[at, feeds[i, 0]]


@kernel(
    [
        "void(float64[::1], float64[::1], float64[::1], float64[::1], int64[:, ::1], int64, int64[::1], int64[::1],"
        "float64[::1], float64[::1])"
    ],
    allocates=False,
)
def book(
    granted,  # (E,) what left over each edge this month
    arrived,  # (E,) what came
    made,  # (N,)
    used,  # (C or more,) by chip maker
    feeds,  # (F,3)
    free,  # the first of them: from what is sold freely
    reserve,  # (M,) nodes of the reserves
    abroad,  # (M,) edges to the rest of the world
    sold,  # (M,) in and out: what each memory maker has sold so far, its reserve apart
    moved,  # (BY_MAKER+2C,) out: what the month moved
):
    moved[:] = 0.0
    for m in range(sold.size):
        moved[ABROAD] += granted[abroad[m]]
        sold[m] += granted[abroad[m]]
        moved[KEPT] += made[reserve[m]]
    for i in range(feeds.shape[0]):
        e = feeds[i, 0]
        moved[FREELY if i < free else RESERVED] += granted[e]
        moved[BY_MAKER + 2 * feeds[i, 2]] += arrived[e]
        if i < free:
            sold[feeds[i, 1]] += granted[e]
    for c in range((moved.size - BY_MAKER) // 2):
        moved[BY_MAKER + 2 * c + 1] = used[c]
