"""A basis of the network from a basis of HiGHS, so that a last resort does not cost the next warm start."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .case import PowerCase
from .highs import programme

HIGHS_LOWER, HIGHS_BASIC, HIGHS_UPPER = 0, 1, 2
LOWER, UPPER, BASIC = 0, 1, 2  # as in workspace, which would bring Numba along


def network_basis(case: PowerCase, codes: NDArray[np.int8]) -> NDArray[np.int32]:
    """What `dispatch` takes as `warm`, from the statuses of columns and rows that HiGHS left.

    Each node has to own one basic column that stands in its row. Columns in one row go to it; then
    a node with one column left takes it, over and over; what remains are cycles, which are walked
    around. A node that gets none (HiGHS had a slack there) is served by its first segment.
    """
    layout = programme(case).structure
    _, segments, hours, lines, stores, loads, tiers = case.shape
    arcs = (lines + 3 * stores + loads) * hours
    nodes, columns, first_arc = layout.rows, layout.cuts[-1], layout.cuts[2]
    own = np.full(nodes, -1, dtype=np.int32)  # the first segment of the node's curve
    owned = np.zeros(nodes, dtype=bool)
    waiting: list[set[int]] = [set() for _ in range(nodes)]  # basic columns by node
    ends: dict[int, list[int]] = {}
    for column in np.flatnonzero(codes[:columns] == HIGHS_BASIC).tolist():
        rows = layout.row_index[layout.start[column] : layout.start[column + 1]].tolist()
        if len(rows) == 1:
            owned[rows[0]] = True
            if column < layout.cuts[1]:
                own[rows[0]] = -1 - column // hours % segments
            elif column < first_arc:
                own[rows[0]] = -1 - segments - (column - layout.cuts[1]) // hours % tiers
        elif rows:
            ends[column] = rows
            for row in rows:
                waiting[row].add(column)

    def assign(row: int, column: int) -> int:
        """Let the row own the column; the other end of it is returned."""
        owned[row] = True
        own[row] = column - first_arc
        other = ends[column][0] if ends[column][1] == row else ends[column][1]
        waiting[row].discard(column)
        waiting[other].discard(column)
        return other

    # A root's columns belong to their other ends, and so on down the tree.
    reached = [row for row in range(nodes) if owned[row]]
    for row in reached:
        for column in sorted(waiting[row]):
            a, b = ends[column]
            other = b if a == row else a
            waiting[row].discard(column)
            if not owned[other]:
                assign(other, column)
                reached.append(other)
    for start in range(nodes):  # leaves of what hangs on cycles, then the cycles themselves
        row = start
        while not owned[row] and len(waiting[row]) == 1:
            row = assign(row, next(iter(waiting[row])))
    for start in range(nodes):
        row = start
        while not owned[row] and waiting[row]:
            row = assign(row, min(waiting[row]))
    state = np.full(arcs, LOWER, dtype=np.int32)
    status = codes[first_arc : first_arc + arcs]
    state[status == HIGHS_UPPER] = UPPER
    state[status == HIGHS_BASIC] = BASIC
    return np.concatenate([own, np.zeros(nodes, dtype=np.int32), state], dtype=np.int32)


def basis_after(case: PowerCase, codes: NDArray[Any]) -> NDArray[np.int32]:
    """`network_basis`, or an empty basis (the next solve is cold) where HiGHS left none."""
    layout = programme(case).structure
    if codes.size != layout.cuts[-1] + layout.rows:
        return np.empty(0, dtype=np.int32)
    return network_basis(case, codes)
