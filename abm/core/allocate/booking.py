"""What moved, added up by edge, compiled."""

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
