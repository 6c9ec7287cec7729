"""Components without a browser: what each page hands to the screen, and what its events do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

solara = pytest.importorskip("solara")

import reacton  # noqa: E402

from runs.app import server  # noqa: E402
from runs.app.knobs import knobs_of  # noqa: E402
from runs.app.main import History, Take  # noqa: E402
from runs.app.pages.assumptions import AssumptionsPage  # noqa: E402
from runs.app.pages.common import session_context  # noqa: E402
from runs.app.pages.decade import DecadePage  # noqa: E402
from runs.app.pages.ensembles import EnsemblesPage  # noqa: E402
from runs.app.pages.months import MonthsPage  # noqa: E402
from runs.app.pages.why import WhyPage, changes_between  # noqa: E402
from runs.app.runs import Runs, view_of  # noqa: E402
from runs.app.session import Session, Shown  # noqa: E402
from runs.app.state import State, command_of  # noqa: E402
from runs.app.worker import DONE, Question, compute  # noqa: E402

_KEPT: dict[Question, Any] = {}


class NoPool:
    usual = 0.4

    def rest(self, asker: Any) -> None:
        """Nothing waits here."""

    def leading(self, asker: Any) -> None:
        """Nothing is under way."""

    def forget(self, asker: Any) -> None:
        """Nothing waits here."""


class RunsHere(Runs):
    """Computes in this process, at once."""

    def __init__(self) -> None:
        self.pool = NoPool()  # type: ignore[assignment]

    def foresee(self, asker: Any, questions: Any) -> None:
        """Nothing is computed before it is asked for."""

    def kept(self, question: Question) -> Any:
        if question not in _KEPT:
            _KEPT[question] = view_of(question, compute(question, lambda: False))
        return _KEPT[question]

    def want(
        self, asker: Any, question: Question, told: Any, patience: float = 0.0, settling: bool = False
    ) -> None:
        told(DONE, self.kept(question))

    def lead(self, asker: Any, question: Question | None, told: Any) -> None:
        """The hand is not followed."""


@pytest.fixture(scope="module", autouse=True)
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("results")
    before = server.serving.options
    server.serving.options = server.Options(results=root)
    yield root
    server.serving.options = before


def drawn(page: Any, query: str = "", world: str = "korea") -> tuple[Session, Any]:
    """A page with a session of its own, rendered without a browser."""
    session = Session(RunsHere(), knobs_of(world), query)
    session.begin()

    @solara.component
    def App() -> None:
        session_context.provide(session)
        solara.RoutingProvider(children=[page], routes=[solara.Route(path="/")], pathname="/")

    _, rc = reacton.render(App(), handle_error=False)
    return session, rc


def widgets(rc: Any, **has: Any) -> list[Any]:
    """All widgets with these traits, below the root."""
    found, seen, todo = [], set(), [rc.container]
    while todo:
        widget = todo.pop()
        if id(widget) in seen or not hasattr(widget, "traits"):
            continue
        seen.add(id(widget))
        if all(
            widget.has_trait(name) and (value is ... or getattr(widget, name) == value)
            for name, value in has.items()
        ):
            found.append(widget)
        children = getattr(widget, "children", ())
        todo += (
            [child for child in children if hasattr(child, "traits")]
            if isinstance(children, list | tuple)
            else []
        )
    return found


def one(rc: Any, **has: Any) -> Any:
    found = widgets(rc, **has)
    assert len(found) == 1, (has, len(found))
    return found[0]


def test_the_decade_shows_charts_sliders_words_and_figures():
    session, rc = drawn(DecadePage())
    names = {chart.name for chart in widgets(rc, option=..., name=...)}
    assert {"accelerators", "sites", "zones", "capital", "debt", "generation", "winners", "slips"} <= names
    sliders = one(rc, parts=..., values=...)
    knobs = {knob["name"] for part in sliders.parts for group in part["groups"] for knob in group["knobs"]}
    assert knobs == {knob.name for knob in session.knobs.of.values() if not knob.parameter}
    findings = one(rc, tiles=..., said=...)
    assert len(findings.tiles) >= 5
    assert findings.said == []
    rc.close()


def test_a_slider_moves_the_whole_decade_and_the_difference_is_said():
    session, rc = drawn(DecadePage())
    sliders = one(rc, parts=..., values=...)
    before = one(rc, name="emissions", option=...).option
    sliders.vue_move({"name": "coal_retirement_gw", "value": 25.0, "stamp": 7})
    sliders.vue_commit("coal_retirement_gw")
    after = one(rc, name="emissions", option=...).option
    assert after["series"][-1]["data"] != before["series"][-1]["data"]
    assert after["madang"]["stamp"] == 7
    assert any("emits" in said["text"] for said in one(rc, tiles=..., said=...).said)
    assert one(rc, parts=..., values=...).settings == {"coal_retirement_gw": 25.0}
    session.undo()
    assert one(rc, parts=..., values=...).settings == {}
    assert one(rc, tiles=..., said=...).said == []
    rc.close()


def test_scenario_package_and_luck_are_chosen_and_nonsense_is_ignored():
    session, rc = drawn(DecadePage())
    sliders = one(rc, parts=..., values=...)
    for choice in (
        {"what": "package", "value": "grid-first"},
        {"what": "seed", "value": "8"},
        {"what": "seed", "value": "x"},
        {"what": "scenario", "value": "no-such"},
        {},
    ):
        sliders.vue_choose(choice)
    assert (session.state.value.scenario, session.state.value.package, session.state.value.seed) == (
        "baseline",
        "grid-first",
        8,
    )
    rc.close()


def test_the_data_of_a_chart_names_the_run_that_is_shown():
    session, rc = drawn(DecadePage(), "?set=pue=1.1")
    one(rc, name="debt", option=...).vue_csv("debt")
    parcel = session.parcel.value
    assert parcel["name"] == "madang-debt.csv"
    assert command_of(session.state.value) in parcel["text"]
    assert session.shown.value.view.run_id in parcel["text"]
    rc.close()


def test_months_hands_over_every_month_at_once():
    session, rc = drawn(MonthsPage(), "?month=60")
    player = one(rc, figures=..., start=...)
    assert player.start == 60
    assert len(player.months) == 132
    assert len(one(rc, graph=...).graph["months"]) == 132
    assert len(one(rc, zones=...).zones["prices"][0]) == 132
    assert one(rc, known=...).log["rows"]
    for part, name in (
        (one(rc, graph=...), "flows"),
        (one(rc, zones=...), "map"),
        (one(rc, known=...), "log"),
    ):
        part.vue_csv(None)
        parcel = session.parcel.value
        assert parcel["name"] == f"madang-{name}.csv"
        assert session.shown.value.view.run_id in parcel["text"]
        assert parcel["text"].count("\n") > 132
    player.vue_month(61)
    assert session.month.value == 61
    rc.close()


@pytest.mark.parametrize("asked", ["Ulsan 1", "kepco", "kepco_debt_krw", "East coast-Dongseoul HVDC"])
def test_why_answers_about_sites_people_figures_and_lines(asked):
    _, rc = drawn(WhyPage(), f"?ask={asked}")
    assert one(rc, groups=..., problem=...).problem == ""
    assert widgets(rc, table=..., heading=...)
    rc.close()


def test_why_says_what_is_near_when_nothing_has_that_name():
    session, rc = drawn(WhyPage(), "?ask=Ulsam%201")
    assert "Ulsan 1" in one(rc, groups=..., problem=...).problem
    one(rc, groups=..., problem=...).vue_ask("nvidia")
    assert session.subject.value == "nvidia"
    assert one(rc, groups=..., problem=...).problem == ""
    rc.close()


def test_why_takes_each_change_back_alone():
    before = State().having("pue", 1.2)
    after = State(package="grid-first").having("line_delay_months", 12.0)
    changes = changes_between(before, after)
    assert set(changes) == {"package", "pue", "line_delay_months"}
    assert changes["package"].package == "as-announced"
    assert changes["line_delay_months"].values == {}
    assert changes["pue"].values == {"pue": 1.2, "line_delay_months": 12.0}
    _, rc = drawn(WhyPage(), "?ask=ai_sites_mw&set=permit_delay_months=18.0&set=line_delay_months=24.0")
    button = [widget for widget in widgets(rc, action=...) if widget.action]
    button[0].vue_act(None)
    table = one(rc, name="parts", table=...).table
    assert len(table["rows"]) == 2
    assert all("…" not in cell for row in table["rows"] for cell in row)
    rc.close()


def test_assumptions_hold_every_number_and_change_it():
    session, rc = drawn(AssumptionsPage())
    table = one(rc, rows=..., settings=...)
    assert {row["name"] for row in table.rows} == set(session.knobs.of)
    assert {row["kind"] for row in table.rows} == {"lever", "uncertainty", "parameter"}
    assert all(row["source"] and row["confidence"] for row in table.rows)
    table.vue_set({"name": "pue", "value": 1.4})
    assert session.state.value.values == {"pue": 1.4}
    table.vue_set({"name": "battery_hours", "value": 6.0})
    assert session.state.value.values == {"pue": 1.4, "battery_hours": 6.0}
    table.vue_reset("pue")
    table.vue_reset("battery_hours")
    assert session.state.value.values == {}
    table.vue_csv(None)
    assert session.parcel.value["text"].count("\n") > 150
    rc.close()


def test_a_folder_that_is_none_of_ours_is_told_in_place(results: Path):
    (results / "plain").mkdir(exist_ok=True)
    _, rc = drawn(EnsemblesPage())
    opener = one(rc, folders=..., problem=...)
    for name, said in (
        ("plain", "no results folder"),
        ("../..", "only folders below"),
        ("nowhere", "no such folder"),
    ):
        opener.vue_open(name)
        assert said in one(rc, folders=..., problem=...).problem
    rc.close()


def test_too_large_an_ensemble_is_refused_with_the_limit():
    session, rc = drawn(EnsemblesPage())
    form = one(rc, most=..., running=...)
    form.vue_begin({"packages": ["as-announced"], "replicates": 1000, "samples": 1})
    assert str(form.most) in one(rc, most=..., running=...).message
    assert session.work.value.get("job") is None
    form.vue_begin({"packages": [], "replicates": 1, "samples": 1})
    form.vue_begin({"packages": ["as-announced"], "replicates": "x"})
    assert session.work.value.get("job") is None
    rc.close()


def test_the_sheet_holds_command_files_and_data():
    session, _ = drawn(DecadePage(), "?set=pue=1.1")

    @solara.component
    def App() -> None:
        Take(session)

    _, rc = reacton.render(App(), handle_error=False)
    sheet = one(rc, parts=..., entries=...)
    parts = {part["key"]: part for part in sheet.parts}
    assert parts["command"]["text"] == command_of(session.state.value)
    assert "pue = 1.1" in parts["scenario"]["text"]
    sheet.vue_fetch("data")
    assert session.shown.value.view.run_id in session.parcel.value["text"]
    rc.close()


def test_history_goes_back_and_compares():
    session, _ = drawn(DecadePage())
    session.set(session.state.value.having("pue", 1.1))
    session.set(session.state.value.having("pue", 1.2))

    @solara.component
    def App() -> None:
        History(session)

    _, rc = reacton.render(App(), handle_error=False)
    sheet = one(rc, entries=..., parts=...)
    assert [entry["at"] for entry in sheet.entries] == [2, 1, 0]
    sheet.vue_compare(1)
    assert session.pinned.value.values == {"pue": 1.1}
    sheet.vue_go(0)
    assert session.state.value.values == {}
    rc.close()


def test_pages_say_that_they_wait_before_the_first_run_is_there():
    for page in (DecadePage(), MonthsPage(), WhyPage()):
        session, rc = drawn(page)
        session.shown.value = Shown()
        assert not widgets(rc, option=..., name=...)
        rc.close()


@pytest.mark.parametrize("page", [DecadePage, MonthsPage, WhyPage, AssumptionsPage, EnsemblesPage])
def test_every_page_shows_another_world_too(page):
    session, rc = drawn(page(), world="toy")
    assert session.shown.value.view.world.name == "toy"
    assert widgets(rc, tag="main")
    rc.close()
