"""Edges by supplier, in compressed rows."""

from __future__ import annotations

from ..jit import kernel


@kernel(["int64(int64[::1], int64[::1], boolean[::1], int64[::1], uint64[::1])"], allocates=False)
def by_supplier(
    edges,  # (n,) numbers of edges
    supplier,  # (E,)
    seen,  # (E,) room, all false
    first,  # (N+1,) out: the edges of node i are ``out[first[i]:first[i + 1]]``
    out,  # (n,) out: ``edges`` by supplier, those of one supplier in the order in which they came
):
    """Returns the place of the first edge that is no number of an edge or comes again; -1 where all is well."""
    first[:] = 0
    for k in range(edges.size):
        e = edges[k]
        if e < 0 or e >= supplier.size or seen[e]:
            return k
        seen[e] = True
        first[supplier[e] + 1] += 1
    for i in range(1, first.size):
        first[i] += first[i - 1]
    # Each row's beginning moves to its end while the row is filled, and so to the beginning of the next.
    for e in edges:
        out[first[supplier[e]]] = e
        first[supplier[e]] += 1
    for i in range(first.size - 1, 0, -1):
        first[i] = first[i - 1]
    first[0] = 0
    return -1
