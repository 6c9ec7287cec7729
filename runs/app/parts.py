"""Our components in the browser: each takes data and gives events back; what they look like stands in ``vue/``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import solara

Event = Callable[[Any], None]


@dataclass(frozen=True)
class Plain:
    """Large plain data for the browser, in one piece.

    Reacton looks into every list and dict that a component is given, in search of other components; in the
    data of a page of charts that alone takes longer than drawing them.
    """

    value: Any

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __iter__(self) -> Any:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)


def bare(plain: Plain, _: Any) -> Any:
    """What is sent of it."""
    return plain.value


def _plain(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, bare)


@solara.component_vue("vue/topbar.vue")
def TopBar(
    texts: dict[str, str],
    pages: list[dict[str, str]],
    here: str,
    link: str,
    language: str,
    can_undo: bool,
    can_redo: bool,
    event_go: Event,
    event_act: Event,
) -> None:
    """Name, pages, and what can be done with the state."""


@solara.component_vue("vue/status.vue")
def StatusLine(
    texts: dict[str, str],
    text: str,
    busy: bool,
    stamp: int,
    messages: list[dict[str, Any]],
    event_dismiss: Event,
) -> None:
    """What is being computed, and what went wrong; busy for any slider move after ``stamp`` too."""


@solara.component_vue("vue/controls.vue", to_json=_plain("parts"))
def Sliders(
    texts: dict[str, str],
    scenarios: list[dict[str, str]],
    packages: list[dict[str, str]],
    scenario: str,
    package: str,
    seed: str,
    parts: Plain,
    values: dict[str, float],
    values_base: dict[str, float],
    settings: dict[str, float],
    taken: int,
    event_choose: Event,
    event_move: Event,
    event_point: Event,
    event_commit: Event,
    event_reset: Event,
) -> None:
    """Scenario, package, luck, and a slider for each lever and uncertainty; ``values`` are those after move ``taken``."""


@solara.component_vue("vue/findings.vue")
def Findings(
    texts: dict[str, str],
    heading: str,
    against: str,
    none: str,
    figures: str,
    said: list[dict[str, Any]],
    tiles: list[dict[str, Any]],
    years: list[int],
    year: int,
    can_pin: bool,
    event_pin: Event,
    event_choose_year: Event,
    event_why: Event,
) -> None:
    """Differences in words, and key figures."""


@solara.component_vue("vue/chart.vue", to_json=_plain("option", "table"))
def ChartFigure(
    name: str,
    heading: str,
    unit: str,
    summary: str,
    note: str,
    source: str,
    option: Plain,
    table: Plain,
    texts: dict[str, str],
    event_csv: Event,
    event_pick: Event,
    height: int = 290,
    wide: bool = False,
    clickable: bool = False,
    level: int = 3,
) -> None:
    """A chart with its table, its data and its picture."""


@solara.component_vue("vue/porter.vue")
def Porter(parcel: dict[str, Any], event_taken: Event) -> None:
    """Hands a file to the browser."""


@solara.component_vue("vue/sheet.vue")
def Sheet(
    texts: dict[str, str],
    heading: str,
    about: str,
    parts: list[dict[str, str]],
    entries: list[dict[str, Any]],
    event_close: Event,
    event_go: Event,
    event_compare: Event,
    event_fetch: Event,
) -> None:
    """A sheet above the page: files to take away, or earlier states."""


@solara.component_vue("vue/player.vue", to_json=_plain("figures"))
def Player(texts: dict[str, str], months: list[str], figures: Plain, start: int, event_month: Event) -> None:
    """Play, pause, step; the month is kept in the browser, which tells it when it rests."""


@solara.component_vue("vue/flows.vue", to_json=_plain("graph"))
def Flows(
    texts: dict[str, str], graph: Plain, months: list[str], source: str, event_pick: Event, event_csv: Event
) -> None:
    """The supply graph of the month that is played."""


@solara.component_vue("vue/zonemap.vue", to_json=_plain("zones"))
def ZoneMap(
    texts: dict[str, str], zones: Plain, months: list[str], source: str, event_pick: Event, event_csv: Event
) -> None:
    """The map of the month that is played."""


@solara.component_vue("vue/log.vue", to_json=_plain("log"))
def Log(
    texts: dict[str, str],
    log: Plain,
    months: list[str],
    known: list[str],
    event_pick: Event,
    event_csv: Event,
) -> None:
    """The decisions of the month that is played."""


@solara.component_vue("vue/tablecard.vue", to_json=_plain("table"))
def TableCard(
    name: str,
    heading: str,
    table: Plain,
    event_csv: Event,
    event_pick: Event,
    about: str = "",
    empty: str = "–",
    download: str = "",
    links: list[str] | tuple[str, ...] = (),
    tall: int = 460,
    level: int = 2,
) -> None:
    """A table under a heading."""


@solara.component_vue("vue/picker.vue")
def Picker(
    texts: dict[str, str],
    text: str,
    chosen: str,
    names: list[str],
    groups: list[dict[str, Any]],
    problem: str,
    event_ask: Event,
) -> None:
    """A box to ask in, with suggestions."""


@solara.component_vue("vue/prose.vue")
def Prose(
    heading: str, lines: list[str], event_act: Event, action: str = "", busy: bool = False, level: int = 2
) -> None:
    """A few sentences under a heading, and perhaps one button."""


@solara.component_vue("vue/assumptions.vue", to_json=_plain("rows"))
def AssumptionList(
    texts: dict[str, str],
    rows: Plain,
    varying: list[str],
    values: dict[str, float],
    settings: dict[str, float],
    event_set: Event,
    event_reset: Event,
    event_csv: Event,
) -> None:
    """Every number, searched in the browser."""


@solara.component_vue("vue/opener.vue")
def Opener(
    texts: dict[str, str],
    label: str,
    none: str,
    folders: list[str],
    opened: str,
    problem: str,
    loaded: str,
    selects: list[dict[str, Any]],
    event_open: Event,
    event_choose: Event,
) -> None:
    """Choose a results folder, and what to see of it."""


@solara.component_vue("vue/ensemble.vue")
def EnsembleForm(
    texts: dict[str, str],
    about: str,
    packages: list[dict[str, str]],
    start_with: list[str],
    most: int,
    seconds: float,
    running: bool,
    total: int,
    done: int,
    progress: str,
    message: str,
    event_begin: Event,
    event_cancel: Event,
) -> None:
    """Start a small ensemble, watch it, cancel it."""
