"""Winners and losers: how every stakeholder fares against another run, by its own objective."""

from __future__ import annotations

from dataclasses import dataclass

from runs.views.charts import Chart, Table
from runs.views.decade import SCORE, same
from runs.views.numbers import digits
from runs.views.runview import RunView
from runs.views.texts import Texts

MOST_WINNERS = 7


@dataclass(frozen=True)
class Gain:
    """How one stakeholder fares against another run, by its own objective."""

    who: str
    now: float
    before: float
    relative: float


def gains(view: RunView, other: RunView) -> list[Gain]:
    """Everybody whose objective differs, the greatest gain first. More is better in every score."""
    found = []
    for who, name in view.family(SCORE).items():
        now, before = view.final(name), other.final(name)
        if now is None or before is None or same(now, before):
            continue
        size = max(abs(before), abs(now), 1e-12)
        found.append(Gain(who, now, before, (now - before) / size))
    return sorted(found, key=lambda gain: (-gain.relative, gain.who))


def winners(view: RunView, t: Texts, other: RunView, against: str) -> Chart:
    """Who is better off than in ``other``, and who worse, each by its own objective."""
    found = gains(view, other)
    best = [gain for gain in found if gain.relative > 0][:MOST_WINNERS]
    worst = [gain for gain in found if gain.relative < 0][-MOST_WINNERS:]
    shown = list(reversed(best + worst))
    option = {
        "madang": {"unit": "%"},
        "grid": {"left": 8, "right": 26, "top": 10, "bottom": 6, "containLabel": True},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": {"type": "value", "min": -100, "max": 100},
        "yAxis": {
            "type": "category",
            "data": [t.name(view.world, gain.who) for gain in shown],
            "axisLabel": {"width": 210, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "bar",
                "name": t("winners.change"),
                "barWidth": "60%",
                "data": [
                    {
                        "value": float(f"{100 * gain.relative:.3g}"),
                        "itemStyle": {"color": "@blue" if gain.relative > 0 else "@orange"},
                    }
                    for gain in shown
                ],
                "label": {"show": False},
            }
        ],
    }
    cast = view.world.cast

    def objective(who: str) -> str:
        return cast.objective[cast.row(who)] if who in cast else ""

    rows = tuple(
        (
            t.name(view.world, gain.who),
            objective(gain.who),
            digits(gain.before),
            digits(gain.now),
            f"{'+' if gain.relative > 0 else ''}{digits(100 * gain.relative)} %",
        )
        for gain in found
    )
    head = tuple(t(f"winners.{key}") for key in ("who", "objective", "before", "now", "change"))
    if found:
        summary = t(
            "winners.summary",
            against=against,
            better=sum(gain.relative > 0 for gain in found),
            worse=sum(gain.relative < 0 for gain in found),
            best=", ".join(t.name(view.world, gain.who) for gain in best[:3]) or "–",
            worst=", ".join(t.name(view.world, gain.who) for gain in reversed(worst[-3:])) or "–",
        )
    else:
        summary = t("winners.none", against=against)
    return Chart(
        "winners",
        t("chart.winners", against=against),
        "%",
        summary,
        option,
        Table(head, rows, (2, 3, 4)),
        (),
        summary,
    )
