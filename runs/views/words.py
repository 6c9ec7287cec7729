"""Differences between two runs, said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from abm.calendar import parse_month
from runs.summary import Slip, slips_of
from runs.views.decade import GOOD_WHEN, same
from runs.views.numbers import amount
from runs.views.runview import RunView
from runs.views.texts import Texts

WEIGHTS: Mapping[str, float] = {
    "gpus_online": 3.0,
    "ai_sites_mw": 3.0,
    "kepco_debt_krw": 2.5,
    "startup_served_share": 2.0,
    "emissions_mt": 2.0,
    "public_spend_krw": 1.5,
    "capital_deployed_krw": 1.5,
    "apac_share": 1.5,
    "startups_alive": 1.2,
    "tariff_krw_per_kwh": 1.2,
    "renewable_share": 1.2,
    "power_price_krw_per_mwh": 1.0,
    "compute_price_krw_per_gpuh": 0.6,
    "grid_queue_mw": 0.4,
    "unserved_mwh": 0.4,
}
"""Indicators that differences are told of, and how much each weighs beside the others when the most telling are
picked: what plans promise before what prices do, and what swings from month to month last."""

SPOKEN: tuple[str, ...] = tuple(WEIGHTS)
"""The texts have a sentence for more and for less of each."""

WORTH_SAYING = 0.005
"""Relative difference below which nothing is said."""


@dataclass(frozen=True)
class Said:
    """One sentence, what it is about, how large the difference is (0 to 1), and whether it is welcome."""

    text: str
    about: str
    size: float
    better: int


def differences(view: RunView, pinned: RunView, t: Texts, most: int = 7) -> list[Said]:
    """What differs from ``pinned``, the largest differences first: figures and single sites."""
    figures = sorted(figure_differences(view, pinned, t), key=lambda said: -said.size * WEIGHTS[said.about])
    places = sorted(site_differences(view, pinned, t), key=lambda said: -said.size)
    room_for_sites = min(len(places), 3)
    return figures[: most - room_for_sites] + places[: max(room_for_sites, most - len(figures))][:most]


def figure_differences(view: RunView, pinned: RunView, t: Texts) -> list[Said]:
    """One sentence for each indicator that differs, in the year of 2030 or the last, whichever tells more."""
    found = []
    years = view.calendar.years
    looked_at = sorted({years[-1], *([2030] if 2030 in years else [])})
    for name in SPOKEN:
        indicator = view.about(name)
        if indicator is None or not view.has(name) or not pinned.has(name):
            continue
        best: tuple[float, float, float, int] | None = None
        for year in looked_at:
            now, before = view.yearly(name).get(year), pinned.yearly(name).get(year)
            if now is None or before is None or same(now, before):
                continue
            scale = 1.0 if indicator.unit == "share" else max(abs(now), abs(before))
            relative = abs(now - before) / scale
            if best is None or relative > best[0]:
                best = (relative, now, before, year)
        if best is None or best[0] < WORTH_SAYING:
            continue
        relative, now, before, year = best
        if indicator.unit == "share":
            difference = t("points", value=f"{100 * abs(now - before):.1f}".rstrip("0").rstrip("."))
        else:
            difference = amount(abs(now - before), indicator.unit, t)
        way = "more" if now > before else "less"
        text = t(
            f"said.{name}.{way}",
            difference=difference,
            year=year,
            now=amount(now, indicator.unit, t),
            before=amount(before, indicator.unit, t),
        )
        found.append(
            Said(text, name, min(relative, 1.0), GOOD_WHEN.get(name, 0) * (1 if now > before else -1))
        )
    return found


def site_differences(view: RunView, pinned: RunView, t: Texts) -> list[Said]:
    """Sites that open earlier or later, that come or that fail to come."""
    before = {slip.site: slip for slip in slips_of(pinned.record)}
    found = []
    for slip in slips_of(view.record):
        other = before.get(slip.site)
        if other is None:
            continue
        said = _site(slip, other, t)
        if said is not None:
            key, months, better = said
            weight = min(slip.mw / 300.0, 1.0) * min(abs(months) / 24.0, 1.0)
            text = t(f"said.site.{key}", site=slip.site, months=abs(months), mw=f"{slip.mw:,.0f}")
            found.append(Said(text, slip.site, weight, better))
    return found


def _site(now: Slip, before: Slip, t: Texts) -> tuple[str, int, int] | None:
    """Which sentence, months, and whether it is welcome."""
    if now.energised and before.energised:
        months = parse_month(now.energised) - parse_month(before.energised)
        if not months:
            return None
        one = abs(months) == 1
        return (
            ("later" if months > 0 else "sooner") + ("_one" if one else ""),
            months,
            -1 if months > 0 else 1,
        )
    if now.energised and not before.energised:
        return "comes", 24, 1
    if before.energised and not now.energised:
        return ("withdrawn" if now.withdrawn else "fails"), 24, -1
    return None
