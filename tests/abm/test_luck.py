"""Draws belong to (root, process, who, ordinal): nobody's luck depends on who else draws, or when."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from abm.core import philox
from abm.luck import Luck
from runs.assemble import prepare
from runs.worlds.loader import load

LAST = 2**64 - 1
words = st.integers(0, LAST)


def numpy_uniform(key: tuple[int, int], counter: tuple[int, int]) -> float:
    """The first uniform of NumPy's own generator."""
    bits = np.random.Philox(key=np.array(key, np.uint64), counter=np.array([*counter, 0, 0], np.uint64))
    return float(np.random.Generator(bits).random())


def our_uniform(key: tuple[int, int], counter: tuple[int, int]) -> float:
    return float(philox.uniform(*map(np.uint64, (*key, *counter))))


# -- the generator ---------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(st.tuples(words, words), st.tuples(words, words))
@example((0, 0), (0, 0))
@example((LAST, LAST), (LAST, 0))
@example((1, 2), (LAST, LAST))
@example((1, 2), (LAST, LAST - 1))
def test_equals_numpy_bit_for_bit(key: tuple[int, int], counter: tuple[int, int]) -> None:
    assert our_uniform(key, counter) == numpy_uniform(key, counter)


@settings(max_examples=30, deadline=None)
@given(st.tuples(words, words), words, st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_fill_gives_each_birth_its_own_counter(key: tuple[int, int], ordinal: int, births: list[int]) -> None:
    out = np.empty(len(births))
    philox.fill(np.uint64(key[0]), np.uint64(key[1]), np.array(births, np.int64), np.uint64(ordinal), out)
    assert out.tolist() == [numpy_uniform(key, (ordinal, birth)) for birth in births]


# -- the streams -----------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 2**63), st.text(max_size=12), st.text(max_size=12), st.integers(0, 10**6))
def test_a_draw_can_be_rebuilt_from_its_names_alone(root: int, process: str, who: str, ordinal: int) -> None:
    digest = hashlib.blake2b(
        f"{root}\x1f{process}\x1f{who}".encode(), digest_size=16, person=b"luck"
    ).digest()
    key = (int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))
    assert Luck(root).uniform(process, who, ordinal) == numpy_uniform(key, (ordinal, 0))


EVENTS = list(itertools.product(("permit", "line-slip"), ("north", "south"), (0, 1, 2)))


@settings(deadline=None)
@given(st.permutations(EVENTS), st.sets(st.sampled_from(EVENTS)))
def test_neither_order_nor_company_changes_a_draw(order: list[tuple[str, str, int]], left_out: set) -> None:
    alone = {event: Luck(7).uniform(*event) for event in EVENTS}
    together = Luck(7)
    for event in order:
        if event not in left_out:
            together.uniform("another process", event[1], event[2])
            together.uniform(event[0], "another site", event[2])
            assert together.uniform(*event) == alone[event]


def test_every_part_of_the_name_matters() -> None:
    luck = Luck(7)
    draws = [luck.uniform(*event) for event in EVENTS] + [Luck(8).uniform(*EVENTS[0])]
    assert len(set(draws)) == len(draws)


def test_neighbouring_streams_are_uniform_and_uncorrelated() -> None:
    luck = Luck(3)
    streams = np.array(
        [
            [luck.uniform(process, who, n) for n in range(2000)]
            for process, who in (("permit", "a"), ("permit", "b"), ("assessment", "a"))
        ]
    )
    assert all(stats.kstest(stream, "uniform").pvalue > 1e-3 for stream in streams)
    off_diagonal = np.corrcoef(streams)[np.triu_indices(3, 1)]
    assert np.abs(off_diagonal).max() < 4.0 / np.sqrt(2000)


class Diary(Luck):
    """Luck that remembers which events were drawn."""

    def __init__(self, root: int) -> None:
        super().__init__(root)
        self.drawn: dict[tuple[str, str, int], float] = {}

    def uniform(self, process: str, who: str, ordinal: int = 0) -> float:
        value = self.drawn[process, who, ordinal] = super().uniform(process, who, ordinal)
        return value


def test_an_event_that_comes_later_keeps_its_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer grid studies move an assessment by months; the first attempt of a site stays its first."""
    world, months, drawn = load("toy"), [], []
    for study in (6.0, 14.0):
        study_months = dataclasses.replace(
            world.quantities["study_months"], default=study, low=0.0, high=99.0
        )
        slower = dataclasses.replace(world, quantities={**world.quantities, "study_months": study_months})
        diary = Diary(0)
        monkeypatch.setattr("abm.model.Luck", lambda root, diary=diary: diary)
        model = prepare(slower, "baseline", "no-policy").build().run_model()
        months.append(
            next(d.month for d in model.decisions.about("south-one") if d.verb in ("pass", "refuse"))
        )
        drawn.append({event: value for event, value in diary.drawn.items() if event[0] == "grid-assessment"})
    assert months[1] >= months[0] + 8
    first = ("grid-assessment", "south-one", 0)
    assert drawn[0][first] == drawn[1][first]
    assert all(max(ordinal for _, _, ordinal in events) < 5 for events in drawn)


# -- a population ----------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30, unique=True), st.randoms(use_true_random=False)
)
def test_uniforms_belong_to_birth_ids_not_to_slots(births: list[int], random: object) -> None:
    luck = Luck(11)
    known = dict(zip(births, luck.uniforms("size", "group", np.array(births)).tolist(), strict=True))
    shuffled = list(births)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    part = shuffled[: max(len(shuffled) // 2, 1)]
    assert luck.uniforms("size", "group", np.array(part)).tolist() == [known[birth] for birth in part]


def test_an_empty_population_draws_nothing() -> None:
    assert Luck(1).uniforms("size", "group", np.arange(0)).shape == (0,)


def test_a_group_a_process_and_an_ordinal_have_uniforms_of_their_own() -> None:
    luck, births = Luck(1), np.arange(50)
    base = luck.uniforms("size", "group", births)
    others = (
        luck.uniforms("size", "other", births),
        luck.uniforms("quality", "group", births),
        luck.uniforms("size", "group", births, 1),
        Luck(2).uniforms("size", "group", births),
    )
    assert all(not np.any(base == other) for other in others)


# -- distributions ---------------------------------------------------------------------------


def test_the_normal_is_the_uniform_through_the_inverse_distribution() -> None:
    luck = Luck(5)
    for n in range(200):
        assert NormalDist().cdf(luck.normal("p", "w", n)) == pytest.approx(
            luck.uniform("p", "w", n), abs=1e-12
        )


def test_the_rarest_uniform_still_gives_a_finite_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    extremes: list[Callable[..., float]] = [lambda *_: 0.0, lambda *_: 1.0 - 2.0**-53]
    found = []
    for extreme in extremes:
        monkeypatch.setattr(Luck, "uniform", extreme)
        found.append(Luck(1).normal("p", "w"))
    assert np.isfinite(found).all()
    assert found[0] < -8.0 < 8.0 < found[1]


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 0.3), (24.0, 12.0), (0.02, 0.02)])
def test_the_lognormal_has_the_mean_and_deviation_asked_for(mean: float, deviation: float) -> None:
    luck, n = Luck(9), 20_000
    draws = np.array([luck.lognormal("p", "w", mean, deviation, i) for i in range(n)])
    assert draws.min() > 0.0
    assert draws.mean() == pytest.approx(mean, abs=4.0 * deviation / np.sqrt(n))
    assert draws.std() == pytest.approx(deviation, rel=0.08)


def test_a_lognormal_without_deviation_is_its_mean_and_without_mean_nothing() -> None:
    luck = Luck(9)
    assert luck.lognormal("p", "w", 7.5, 0.0) == pytest.approx(7.5, rel=1e-15)
    assert luck.lognormal("p", "w", 0.0, 3.0) == 0.0
