"""What developers of renewables and storage begin to build joins what is to come."""

from __future__ import annotations

from abm.core.jit import kernel


@kernel(
    [
        "void(int64[::1], int64[::1], int64[::1], int64[::1], float64[::1], float64[::1], int64[::1], float64[::1],"
        "float64[:, :, ::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def begin(
    ready,  # (n,) month in which each resource serves; the last month that is kept stands for all later ones
    rows,  # (n,) of the world's resources
    zone,  # (n,)
    technology,  # (n,)
    mw,  # (n,) what is built
    direct,  # (n,) what sites would buy of it directly, MW
    edges,  # (n,) of the supply graph, negative: none
    used,  # (R,) MW built of each resource; brought up to date
    coming,  # (months,Z,T) MW that begin to serve in each month; brought up to date
    coming_direct,  # (months,) MW among them that sites buy directly; brought up to date
    moved,  # (edges of the supply graph,) what moved this month; brought up to date
):
    """Add what is built to the resources used, to the months to come and to what moved."""
    last = coming.shape[0] - 1
    for i in range(mw.size):
        used[rows[i]] += mw[i]
        at = min(ready[i], last)
        coming[at, zone[i], technology[i]] += mw[i]
        coming_direct[at] += min(direct[i], mw[i])
        if edges[i] >= 0:
            moved[edges[i]] += mw[i]
