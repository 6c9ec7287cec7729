"""Phase 4: permits and the grid queue.

Inside a zone, pools of substations share headroom. The utility starts studies as its planners get
to them; when a study ends, the application passes with a probability that rises with what headroom
is left (a logit through the share observed at the start). A site that fits only together with a
planned line is passed on condition, and waits for that line. Lines advance as far as the utility's
investment and the permits carry them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from abm.calendar import NEVER
from abm.core.sites import connect as core
from abm.decisions import Intent
from abm.state import ANNOUNCED, APPLIED, DECIDED, FAB, HIDDEN, PASSED, WITHDRAWN

if TYPE_CHECKING:
    from abm.model import Model
    from abm.state import Sites


def draw_line_slips(model: Model) -> None:
    """Add to each planned line's announced date a slip from the reference class of past projects."""
    p = model.parameters
    for row, key in enumerate(model.world.lines.keys):
        if model.state.line_ready[row] == NEVER:
            slip = model.luck.lognormal("line-slip", key, p["line_slip_mean"], p["line_slip_deviation"])
            left = model.state.line_left[row] + min(slip, p["line_slip_most"]) + p["line_delay_months"]
            model.state.line_left[row] = max(left, 0.0)


def announcements(sites: Sites) -> dict[int, list[int]]:
    """Month to the sites that are announced in it; those announced before the run come in its first."""
    found: dict[int, list[int]] = {}
    for row in sites.rows(HIDDEN).tolist():
        found.setdefault(max(int(sites.announced[row]), 0), []).append(row)
    return found


def run(model: Model, month: int) -> None:
    _announce(model, month)
    speed = line_speed(model, month)
    _advance(model, month, speed)
    waiting = model.state.sites.rows(APPLIED, PASSED).tolist()
    model.seeking_consent = _seeking_consent(model, waiting)
    for agent in model.acting("connection"):
        if agent.CONSENTS and agent.zone not in model.seeking_consent:
            continue
        for intent in agent.act("connection", month):
            _resolve(model, month, intent)
    _permit_where_nobody_decides(model, month)
    _finish_studies(model, month, waiting)
    _fix_ready_dates(model, month, speed)


def _announce(model: Model, month: int) -> None:
    sites = model.state.sites
    for row in model.announcements.get(month, ()):
        if sites.started_before[row]:
            # Announced with work already under way: what came before was done when the world heard of it.
            sites.status[row] = DECIDED
            for name in ("applied", "assessed", "permitted", "decided"):
                sites.step[name][row] = month
            model.start_building(row, month)
            _note_announcement(model, row, month)
            continue
        sites.status[row] = ANNOUNCED
        real = sites.kind[row] == FAB or sites.finance[row] == 0
        sites.sponsor[row] = real or model.luck.uniform("sponsor", sites.programme[row]) < sponsor_chance(
            model, row
        )
        if month > 0 or sites.announced[row] == 0:
            _note_announcement(model, row, month)


def _note_announcement(model: Model, row: int, month: int) -> None:
    sites = model.state.sites
    model.decisions.note(
        month,
        Intent(
            model.owner_key(row),
            "announce",
            sites.key[row],
            float(sites.mw[row]),
            "MW",
            {"gpus": float(sites.gpus[row]), "expected_month": float(sites.expected[row])},
        ),
    )


def sponsor_chance(model: Model, row: int) -> float:
    """Chance that somebody stands behind an announcement: large firms' word is worth more than a project company's."""
    p = model.parameters
    weight = (
        p["corporate_sponsor_exponent"]
        if model.state.sites.finance[row] == 1
        else p["project_sponsor_exponent"]
    )
    return float(p["announcement_realisation"] ** weight)


def _advance(model: Model, month: int, speed: float) -> None:
    """Lines and pools of substations as far as the month's work carries them."""
    state = model.state
    done = core.advance(
        month, NEVER, speed, model.utility.funded, state.pool_growth, state.line_ready, state.line_left,
        state.pool_headroom,
    )  # fmt: skip
    for row in (state.line_ready == month).nonzero()[0].tolist() if done else ():
        pool = model.world.lines.relieves[row]
        if pool >= 0:
            # What was passed on condition of this line takes its part of the relief now.
            state.pool_headroom[pool] += line_relief(model, row) - model.promised_mw.pop(row, 0.0)
        utility = model.role("grid")
        if utility is not None:
            due = int(model.world.lines.due[row])
            model.decisions.note(
                month,
                Intent(
                    utility.who,
                    "complete",
                    model.world.lines.keys[row],
                    float(model.world.lines.forward_mw[row]),
                    "MW",
                    {"due_month": float(due), "late_months": float(month - due)},
                ),
            )


def line_speed(model: Model, month: int) -> float:
    """Months of line work done in a month: what was funded, quicker with permits on the fast track."""
    track = model.board.value("grid_fast_track", month)
    funded = max(model.utility.funded, 0.0)
    return (
        math.sqrt(funded)
        * (1.0 + model.parameters["fast_track_effect"] * track)
        * float(model.outside.line_progress[month])
    )


def _seeking_consent(model: Model, rows: Sequence[int]) -> dict[int, list[int]]:
    """Zone to its sites that have no date for their permit, of the ``rows`` that have applied or passed."""
    sites, found = model.state.sites, dict[int, list[int]]()
    for row in rows:
        if sites.permit_due.item(row) == NEVER:
            found.setdefault(sites.zone.item(row), []).append(row)
    return found


def _resolve(model: Model, month: int, intent: Intent) -> None:
    sites, p, row = model.state.sites, model.parameters, intent.target
    track = model.board.value("grid_fast_track", month)
    if intent.verb == "study":
        months = p["study_months"] * (1.0 - p["fast_track_effect"] * track)
        sites.study_due[row] = month + round(months)
        model.decisions.note(month, intent)
    elif intent.verb == "consent":
        months = intent.values["months"] * (1.0 - p["fast_track_effect"] * track)
        spread = model.luck.lognormal("permit", sites.key[row], 1.0, p["permit_spread"])
        sites.permit_due[row] = month + max(round(months * spread + p["permit_delay_months"]), 0)
        model.decisions.note(month, intent)
    elif intent.verb == "postpone":
        sites.wait_reason[row] = "consent"
        model.decisions.note(month, intent, granted=0.0, bound="consent")
    else:
        raise ValueError(f"{intent.who}: {intent.verb!r} is no act of the connection phase")


def _permit_where_nobody_decides(model: Model, month: int) -> None:
    """A zone without a local government permits at once, the scenario's permit delay apart."""
    if not model.seeking_consent:
        return
    sites = model.state.sites
    guarded = {agent.zone for agent in model.acting("connection") if agent.CONSENTS}
    for zone, rows in model.seeking_consent.items():
        if zone not in guarded:
            sites.permit_due[rows] = month + max(round(model.parameters["permit_delay_months"]), 0)


def pass_chance(model: Model, month: int, row: int, pool: int | None = None) -> float:
    """Probability that the grid assessment is passed, from what headroom is left in the pool."""
    state, p = model.state, model.parameters
    pool = int(state.sites.pool[row]) if pool is None else pool
    share = float(model.world.pools.pass_share[pool])
    left = max(state.pool_headroom[pool], 1.0) / state.pool_start[pool]
    track = model.board.value("grid_fast_track", month)
    odds = (
        math.log(share / (1.0 - share))
        + p["assessment_slope"] * math.log(left)
        + p["assessment_fast_track"] * track
    )
    return 1.0 / (1.0 + math.exp(-odds))


def line_relief(model: Model, line: int) -> float:
    """Headroom that a line adds to the pool it relieves, MW."""
    return float(model.world.lines.relief_mw[line]) * model.parameters["transfer_limit_factor"]


def _line_for(model: Model, pool: int, mw: float) -> int:
    """Planned line whose relief, with the headroom left, would carry ``mw``; -1 where none does."""
    state, lines = model.state, model.world.lines
    best, when = -1, math.inf
    for row in np.flatnonzero((lines.relieves == pool) & (state.line_ready == NEVER)).tolist():
        room = state.pool_headroom[pool] + line_relief(model, row) - model.promised_mw.get(row, 0.0)
        if room >= mw and state.line_left[row] < when:
            best, when = row, float(state.line_left[row])
    return best


def _finish_studies(model: Model, month: int, rows: Sequence[int]) -> None:
    """What the studies that end come to, of the ``rows`` that have applied or passed."""
    state, sites = model.state, model.state.sites
    utility = model.role("grid")
    for row in rows:
        if sites.status.item(row) != APPLIED or sites.study_due.item(row) > month:
            continue
        pool, mw = int(sites.pool[row]), float(sites.mw[row])
        key, attempt = sites.key[row], int(sites.attempts[row])
        special = model.special_mw[pool]
        chance = pass_chance(model, month, row)
        lucky = model.luck.uniform("grid-assessment", key, attempt) < chance
        line = -1
        if special >= mw:
            model.special_mw[pool] -= mw
            sites.in_special_zone[row] = True
            bound = "special zone"
        elif sites.kind[row] == FAB or lucky:
            if state.pool_headroom[pool] >= mw:
                state.pool_headroom[pool] -= mw
                sites.pool_taken[row] = mw
                bound = "headroom"
            else:
                line = _line_for(model, pool, mw)
                if line < 0:
                    lucky = False
                    bound = "no headroom in pool"
                else:
                    taken = min(max(float(state.pool_headroom[pool]), 0.0), mw)
                    state.pool_headroom[pool] -= taken
                    sites.pool_taken[row] = taken
                    model.promised_mw[line] = model.promised_mw.get(line, 0.0) + mw - taken
                    bound = "line " + model.world.lines.keys[line]
        else:
            bound = "grid assessment"
        passed = special >= mw or ((sites.kind[row] == FAB or lucky) and bound != "no headroom in pool")
        nonfirm = False
        if not passed and sites.kind[row] != FAB:
            offer = model.board.value("nonfirm_connection", month)
            nonfirm = model.luck.uniform("non-firm", key, attempt) < offer
            passed = nonfirm
            bound = "non-firm" if nonfirm else bound
        verb = "pass" if passed else "refuse"
        if utility is not None:
            model.decisions.note(
                month,
                Intent(
                    utility.who,
                    verb,
                    key,
                    mw,
                    "MW",
                    {
                        "chance": chance,
                        "headroom_mw": float(state.pool_headroom[pool]),
                        "attempt": float(attempt + 1),
                    },
                ),
                granted=mw if passed else 0.0,
                bound=bound,
            )
        sites.attempts[row] += 1
        if passed:
            sites.status[row] = PASSED
            sites.step["assessed"][row] = month
            sites.needs_line[row] = line
            sites.nonfirm[row] = nonfirm
            sites.wait_reason[row] = ""
        elif sites.kind[row] == FAB or sites.attempts[row] < model.parameters["assessment_tries"]:
            sites.status[row] = ANNOUNCED
            sites.next_try[row] = month + int(model.parameters["retry_months"])
            sites.wait_reason[row] = bound
        else:
            sites.status[row] = WITHDRAWN
            sites.wait_reason[row] = bound
            model.decisions.note(
                month, Intent(model.owner_key(row), "withdraw", key, mw, "MW"), granted=0.0, bound=bound
            )
            model.return_deposit(month, row)


def _fix_ready_dates(model: Model, month: int, speed: float) -> None:
    """Substation and line dates of the sites that have passed, as now foreseen."""
    state, sites, p = model.state, model.state.sites, model.parameters
    track = model.board.value("grid_fast_track", month)
    substation = p["substation_months"] * (1.0 - p["fast_track_effect"] * track)
    nonfirm = substation * p["nonfirm_time_share"]
    terms = np.array(
        [month, PASSED, DECIDED, NEVER, int(p["handover_months"]), round(substation), round(nonfirm)],
        np.int64,
    )
    step = sites.step
    core.foresee(
        terms, max(speed, 1e-6), sites.count, sites.status, sites.permit_due, sites.started_before, sites.nonfirm,
        step["assessed"], sites.expected, sites.needs_line, state.line_ready, state.line_left, sites.equipment,
        sites.mw, step["permitted"], sites.ready, step["connected"],
    )  # fmt: skip
