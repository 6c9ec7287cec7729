"""Links, commands and files: each gives the state back exactly."""

from __future__ import annotations

import math
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.app.knobs import knobs_of
from runs.app.state import (
    LARGEST_SEED,
    State,
    command_of,
    link_of,
    package_toml,
    parse_link,
    scenario_toml,
)
from runs.app.worker import prepared
from runs.assemble import prepare

KNOBS = knobs_of("korea")
START = State()


@st.composite
def states(draw: st.DrawFn) -> State:
    state = State(
        scenario=draw(st.sampled_from(sorted(KNOBS.scenarios))),
        package=draw(st.sampled_from(sorted(KNOBS.packages))),
        seed=draw(st.integers(0, LARGEST_SEED)),
    )
    for name in draw(st.lists(st.sampled_from(sorted(KNOBS.of)), max_size=6, unique=True)):
        knob = KNOBS.of[name]
        state = state.having(name, draw(st.floats(knob.low, knob.high, allow_nan=False)))
    return state


@given(state=states(), pinned=states())
def test_a_link_restores_state_and_pinned_state_exactly(state, pinned):
    link = link_of(state, pinned, START, {"lang": "ko", "month": "60"})
    assert parse_link(link, START, KNOBS) == (state, pinned, {"lang": "ko", "month": "60"}, [])


@given(query=st.text(max_size=300))
def test_no_link_can_break_the_page(query):
    state, pinned, _, _ = parse_link("?" + query, START, KNOBS)
    for one in (state, pinned):
        assert one.scenario in KNOBS.scenarios
        assert one.package in KNOBS.packages
        assert all(KNOBS.of[name].complaint(value) is None for name, value in one.settings)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("scenario=basline", "did you mean 'baseline'"),
        ("package=grid-frist", "did you mean 'grid-first'"),
        ("seed=-1", "expected a whole number"),
        ("seed=٣", "expected a whole number"),
        ("set=pue=9", "allowed 1.05 to 1.6"),
        ("set=pue=nan", "finite"),
        ("set=pue", "expected a number"),
        ("set=pu=1.2", "did you mean pue"),
        ("x" * 9000, "longer than"),
    ],
)
def test_what_is_wrong_with_a_link_is_said_and_the_rest_is_used(query, said):
    state, _, _, wrong = parse_link(f"?{query}&set=site_cost_factor=1.1", START, KNOBS)
    assert any(said in text for text in wrong)
    if "x" * 100 not in query:
        assert state == START.having("site_cost_factor", 1.1)


def command_state(command: str) -> State:
    """The state that a command asks for, read as the shell would."""
    parts = shlex.split(command)
    assert parts[:2] == ["madang", "run"]
    state = State(
        scenario=parts[2],
        package=parts[parts.index("--package") + 1],
        seed=int(parts[parts.index("--seed") + 1]),
    )
    for at, part in enumerate(parts):
        if part == "--set":
            name, _, value = parts[at + 1].partition("=")
            state = state.having(name, float(value))
    return state


@given(state=states())
def test_a_command_asks_for_exactly_the_state(state):
    assert command_state(command_of(state)) == state


@settings(max_examples=25, deadline=None)
@given(state=states())
def test_the_two_files_are_the_same_run(state, tmp_path_factory):
    folder = tmp_path_factory.mktemp("take")
    ready = prepared(state.question)
    (folder / "s.toml").write_text(scenario_toml(ready, "korea"), encoding="utf-8")
    (folder / "p.toml").write_text(package_toml(ready), encoding="utf-8")
    again = prepare("korea", str(folder / "s.toml"), str(folder / "p.toml"), {}, state.seed)
    assert again.run_id() == ready.run_id()


def test_settings_are_sorted_and_nought_has_one_sign():
    one = State().having("pue", 1.2).having("line_delay_months", -0.0)
    two = State().having("line_delay_months", 0.0).having("pue", 1.2)
    assert one == two
    assert math.copysign(1.0, one.values["line_delay_months"]) == 1.0
    assert one.having("pue", None).having("line_delay_months", None) == State()


def test_every_knob_has_a_group_a_step_and_bounds_that_its_default_keeps():
    for knob in KNOBS.of.values():
        assert knob.complaint(knob.default) is None
        assert knob.parameter or 20 <= (knob.high - knob.low) / knob.step <= 250, knob.name
        assert knob.complaint(math.inf)
        assert knob.complaint(knob.high + knob.step)
