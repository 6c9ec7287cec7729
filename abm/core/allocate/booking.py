"""What moved, added up by edge, and what is due, compiled."""

from __future__ import annotations

from ..jit import kernel


@kernel(["void(int64[:], float64[:], float64[::1])"], allocates=False)
def book(
    edges,  # (n,) numbers of edges, each as often as something moved on it; negative: no edge
    amounts,  # (n,)
    moved,  # (E,) what moved on each edge; brought up to date
):
    """Add each amount to its edge."""
    for i in range(edges.size):
        if edges[i] >= 0:
            moved[edges[i]] += amounts[i]


@kernel(["void(float64[:, ::1], int64, int64[::1], float64[::1])"], allocates=False)
def due(
    pipeline,  # (horizon,E) by month of arrival modulo the horizon
    month,
    edges,  # (n,) which edges together
    arriving,  # (months,) out: by month from ``month`` on
):
    """What is on its way over some edges and arrives in each of the coming months."""
    for ahead in range(arriving.size):
        row = (month + ahead) % pipeline.shape[0]
        arriving[ahead] = 0.0
        for e in edges:
            arriving[ahead] += pipeline[row, e]
