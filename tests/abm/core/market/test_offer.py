"""How owners divide their hours: nothing is lost, own need first, the state's set apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.core.market import divide
from abm.core.market.offer import CAPTIVE, MADE, OPEN, PARTS, RESERVED, STATE


def divided(
    made: list[float],
    of_state: list[bool],
    owner: list[int],
    most: list[float],
    anchor: list[float],
    asked: list[float],
) -> np.ndarray:
    parts = np.empty((PARTS, len(made)))
    divide(
        np.array(made), np.array(of_state, bool), np.array(owner, np.int64), np.array(most), np.array(anchor),
        np.array(asked), parts,
    )  # fmt: skip
    return parts


def test_an_owner_fills_its_need_site_after_site_and_sells_a_part_of_the_rest_ahead() -> None:
    parts = divided(
        [10.0, 10.0, 10.0, 10.0],
        [False] * 4,
        [0, 0, 1, 0],
        [6.0, 6.0, 6.0, 6.0],
        [0.0, 0.5, 0.25, 0.0],
        [8.0, -1.0],
    )
    assert parts[CAPTIVE].tolist() == [6.0, 2.0, 6.0, 0.0], "one that asks for nothing keeps what it may"
    assert parts[RESERVED].tolist() == [0.0, 4.0, 1.0, 0.0]
    assert parts[OPEN].tolist() == [4.0, 4.0, 3.0, 10.0]


def test_hours_that_were_not_made_cannot_be_kept_and_the_need_is_not_moved_elsewhere() -> None:
    """Power that was not served takes from the owner's own use at the site where it was missing."""
    parts = divided([2.0, 10.0], [False] * 2, [0, 0], [6.0, 6.0], [0.0, 0.0], [6.0])
    assert parts[CAPTIVE].tolist() == [2.0, 0.0]


sites = st.lists(
    st.tuples(st.floats(0, 1e6), st.booleans(), st.integers(0, 2), st.floats(0, 1e6), st.floats(0, 1)),
    max_size=12,
)


@settings(deadline=None)
@given(sites, st.lists(st.floats(-1.0, 1e6), min_size=3, max_size=3))
def test_every_hour_has_one_use(
    rows: list[tuple[float, bool, int, float, float]], asked: list[float]
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
    parts = divided(*columns, asked)
    assert (parts >= 0.0).all()
    np.testing.assert_allclose(parts[CAPTIVE:].sum(axis=0), parts[MADE], rtol=1e-12, atol=1e-9)
    for row, (made, of_state, *_) in enumerate(rows):
        assert parts[STATE, row] == (made if of_state else 0.0)
    for who, hours in enumerate(asked):
        if hours >= 0.0:
            mine = [row for row, site in enumerate(rows) if site[2] == who]
            assert parts[CAPTIVE, mine].sum() <= hours * (1.0 + 1e-12)
