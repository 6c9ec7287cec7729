"""The column of controls: what it says of each lever and uncertainty, and what its moves do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import solara

from runs.app.knobs import GROUPS, OWNERS, Knob, Knobs
from runs.app.parts import Plain, Sliders
from runs.app.session import Session
from runs.app.state import LARGEST_SEED
from runs.views.numbers import digits, scale
from runs.views.texts import Texts


def knob_text(knob: Knob, t: Texts, varies: bool = False) -> dict[str, Any]:
    """What the page needs to know of a knob; values are shown divided by ``divider``."""
    divider, unit = scale([knob.low, knob.high], knob.unit, t)
    step = knob.step / divider
    places = 0
    while places < 4 and abs(step * 10**places - round(step * 10**places)) > 1e-6:
        places += 1
    span = t("control.range", low=digits(knob.low / divider), high=digits(knob.high / divider)) + f" {unit}"
    span += "; " + t("control.default", value=f"{digits(knob.default / divider)} {unit}".strip())
    if knob.lever and knob.lead_months:
        span += "; " + t("control.takes_effect", months=knob.lead_months)
    return {
        "name": knob.name,
        "label": t.knob(knob.name),
        "unit": unit,
        "divider": divider,
        "places": places,
        "low": knob.low,
        "high": knob.high,
        "step": knob.step,
        "moves": knob.moves,
        "span": span,
        "source": t("control.source", source=knob.source),
        "varies": varies,
    }


def parts_of(knobs: Knobs, t: Texts, package: str) -> list[dict[str, Any]]:
    """Levers by owner, uncertainties by subject."""
    steps = {
        handle: len(found)
        for handle, found in knobs.packages[package].targets(knobs.world.calendar.first).items()
    }

    def group(key: str, members: list[Knob]) -> dict[str, Any]:
        told = [knob_text(knob, t, knob.lever and steps.get(knob.handle, 0) > 1) for knob in members]
        return {"key": key, "title": t(f"group.{key}"), "knobs": told}

    def part(key: str, lever: bool, order: tuple[str, ...]) -> dict[str, Any]:
        found = [(g, [k for k in knobs.of.values() if k.lever is lever and k.group == g]) for g in order]
        return {
            "key": key,
            "title": t(f"control.{key}"),
            "groups": [group(g, members) for g, members in found if members],
        }

    return [part("levers", True, OWNERS), part("uncertainties", False, tuple(GROUPS))]


@solara.component
def Controls(session: Session) -> None:
    """The sliders. A move is asked for at once; its end makes it a state to come back to."""
    t, knobs = session.t, session.knobs
    state = session.state.value
    base = knobs.base(state.scenario, state.package)
    parts = solara.use_memo(lambda: parts_of(knobs, t, state.package), [t.language, state.package])
    scenarios = [
        {"name": n, "title": titled(s.title, "scenario", n, t), "about": about(s.about, "scenario", n, t)}
        for n, s in knobs.scenarios.items()
    ]
    packages = [
        {"name": n, "title": titled(p.title, "package", n, t), "about": about(p.about, "package", n, t)}
        for n, p in knobs.packages.items()
    ]

    def choose(choice: dict[str, Any]) -> None:
        now, what, value = session.state.value, choice.get("what"), str(choice.get("value", ""))
        if what == "scenario" and value in knobs.scenarios:
            session.set(replace(now, scenario=value))
        elif what == "package" and value in knobs.packages:
            session.set(replace(now, package=value))
        elif what == "seed" and value.isdecimal() and value.isascii() and int(value) <= LARGEST_SEED:
            session.set(replace(now, seed=int(value)))

    def move(one: dict[str, Any]) -> None:
        session.move(str(one["name"]), float(one["value"]), int(one.get("stamp", 0)))

    def point(one: dict[str, Any]) -> None:
        session.point(str(one["name"]), float(one["value"]))

    keys = (
        "title",
        "scenario",
        "package",
        "seed",
        "seed_help",
        "search",
        "reset_one",
        "changed",
        "by_package",
        "nothing_found",
    )
    Sliders(
        texts={**{key: t(f"control.{key}") for key in keys}, "about_one": t("control.about_one")},
        scenarios=scenarios,
        packages=packages,
        scenario=state.scenario,
        package=state.package,
        seed=str(state.seed),
        parts=Plain(parts),
        values=base | state.values,
        values_base=base,
        settings=state.values,
        taken=session.taken,
        event_choose=choose,
        event_move=move,
        event_point=point,
        event_commit=lambda *_: session.commit(),
        event_reset=lambda name: session.reset_one(str(name)),
    )


def titled(title: str, group: str, name: str, t: Texts) -> str:
    """The title of a scenario or package in this language."""
    key = f"{group}.{name}.title"
    return t(key) if t.has(key) else title


def about(text: str, group: str, name: str, t: Texts) -> str:
    """What a scenario or package is about, in this language."""
    key = f"{group}.{name}.about"
    return t(key) if t.has(key) else text
