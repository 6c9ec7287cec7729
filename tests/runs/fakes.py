"""A finished model made of plain values, for tests of what is done with one."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from abm.calendar import Calendar
from abm.decisions import Decisions, Intent
from abm.series import Indicator, Recorder

CALENDAR = Calendar.between("2025-01", "2028-12")

INDICATORS = (
    Indicator("gpus_online", "gpus_online", "", "GPU", "last", "accelerators in operation"),
    Indicator("ai_sites_mw", "ai_sites_mw", "", "MW", "last", "AI sites on the grid"),
    Indicator("grid_queue_mw", "grid_queue_mw", "", "MW", "last", "applications not yet on the grid"),
    Indicator(
        "power_price_krw_per_mwh", "power_price", "", "KRW/MWh", "mean", "load-weighted price of power"
    ),
    Indicator("tariff_krw_per_kwh", "tariff", "", "KRW/kWh", "mean", "what customers pay"),
    Indicator("kepco_debt_krw", "utility_debt", "", "KRW", "last", "debt of the grid utility"),
    Indicator("unserved_mwh", "unserved_mwh", "", "MWh", "sum", "electricity demand not met"),
    Indicator("stakeholder_score.platform", "score", "platform", "KRW", "last", "operating surplus"),
    Indicator("stakeholder_score.utility", "score", "utility", "KRW", "last", "Utility: debt, KRW, negative"),
    Indicator("lole_hours", "lole_hours", "", "hour", "sum", "hours of lost load", later="a later issue"),
)

SITES = (
    {
        "site": "north-one",
        "programme": "first",
        "owner": "platform",
        "zone": "north",
        "pool": "north-city",
        "kind": "ai",
        "mw": 10.0,
        "gpus_planned": 4000.0,
        "gpus_online": 4000.0,
        "gpus_waiting": 0.0,
        "originated": False,
        "announced": "2021-01",
        "expected": "2023-06",
        "applied": "2023-06",
        "assessed": "2023-06",
        "permitted": "2023-06",
        "decided": "2023-06",
        "building_complete": "2023-06",
        "connected": "2023-06",
        "chips_complete": "2023-06",
        "energised": "2023-06",
        "status": "energised",
        "delay_months": 0.0,
        "bound": "",
        "reason": "",
    },
    {
        "site": "south-one",
        "programme": "campus",
        "owner": "platform",
        "zone": "south",
        "pool": "south-coast",
        "kind": "ai",
        "mw": 40.0,
        "gpus_planned": 18000.0,
        "gpus_online": 18000.0,
        "gpus_waiting": 0.0,
        "originated": False,
        "announced": "2025-03",
        "expected": "2027-03",
        "applied": "2025-04",
        "assessed": "2026-06",
        "permitted": "2026-02",
        "decided": "2026-07",
        "building_complete": "2027-10",
        "connected": "2028-03",
        "chips_complete": "2028-05",
        "energised": "2028-03",
        "status": "energised",
        "delay_months": 12.0,
        "bound": "connection",
        "reason": "The substation was ready last.",
    },
    {
        "site": "south-two",
        "programme": "campus",
        "owner": "platform",
        "zone": "south",
        "pool": "south-coast",
        "kind": "ai",
        "mw": 60.0,
        "gpus_planned": 27000.0,
        "gpus_online": 0.0,
        "gpus_waiting": 0.0,
        "originated": False,
        "announced": "2025-03",
        "expected": "2028-06",
        "applied": "2026-04",
        "assessed": None,
        "permitted": None,
        "decided": None,
        "building_complete": None,
        "connected": None,
        "chips_complete": None,
        "energised": None,
        "status": "applied",
        "delay_months": 6.0,
        "bound": "no headroom in pool",
        "reason": "The pool has no headroom.",
    },
)


def recorder(calendar: Calendar = CALENDAR) -> Recorder:
    made = Recorder(INDICATORS, calendar)
    made.name_members({"score": ["platform", "utility"]})
    for month in range(calendar.months):
        made.record(
            month,
            {
                "gpus_online": 4000.0 + (18000.0 if month >= 38 else 0.0),
                "ai_sites_mw": 10.0,
                "grid_queue_mw": 100.0,
                "power_price": 120_000.0 + 500.0 * math.sin(month),
                "tariff": 140.0,
                "utility_debt": 1.2e14 + 1e11 * month,
                "unserved_mwh": 0.25,
            },
            {"score": [1e9 * month, -1.2e14 - 1e11 * month]},
        )
    return made


def decisions() -> Decisions:
    log = Decisions()
    log.note(
        2, Intent("platform", "announce", "south-one", 40.0, "MW", {"gpus": 18000.0, "expected_month": 26.0})
    )
    log.note(3, Intent("platform", "apply", "south-one", 40.0, "MW"))
    log.note(
        10,
        Intent("utility", "refuse", "south-one", 40.0, "MW", {"chance": 0.21, "headroom_mw": 12.0}),
        granted=0.0,
        bound="grid assessment",
    )
    log.note(
        17,
        Intent("utility", "pass", "south-one", 40.0, "MW", {"chance": 0.4, "headroom_mw": 80.0}),
        bound="headroom",
    )
    log.note(18, Intent("fund", "invest", "south-one", 2.5e11, "money", {"value_over_outlay": 1.3}))
    log.note(
        38, Intent("platform", "energise", "south-one", 40.0, "MW", {"late_months": 12.0}), bound="connection"
    )
    return log


def model(calendar: Calendar = CALENDAR) -> Any:
    """What ``simulate`` returns, as far as the command line looks at it."""
    record = recorder(calendar)
    return SimpleNamespace(
        recorder=record,
        indicators=record.indicators,
        calendar=calendar,
        series=record.frame(),
        decisions=decisions(),
        site_report=lambda: [dict(site) for site in SITES],
        balance_residual={"krw": 1e-16, "gpu": 0.0, "mwh": 3e-13},
        power_report={"solves": 96, "max_gap": 2e-14, "fallbacks": 0},
    )
