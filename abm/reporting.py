"""What a finished run tells: each site's path, the power solver's figures, the ledger's residuals."""

from __future__ import annotations

from typing import Any

from abm.calendar import NEVER
from abm.holdings import Holdings
from abm.state import AI, ANNOUNCED, APPLIED, DECIDED, ENERGISED, FAB, PASSED, STATUS, WITHDRAWN

_ASKED = {
    "no sponsor": "nobody stands behind the announcement",
    "hurdle": "value over outlay is below what its owner asks for",
    "equity": "investors did not cover its equity",
    "permit": "the local government has not consented yet",
    "consent": "the local government puts consent off",
    "queue deposit": "the queue deposit is more than the project is worth holding a place for",
    "grid assessment": "the grid assessment was not passed",
    "no headroom in pool": "its pool of substations has no headroom left",
    "no state purchases": "the state buys no machines for it",
}


class Reporting(Holdings):
    """Mixed into :class:`abm.model.Model`."""

    @property
    def series(self) -> Any:
        """Polars frame: ``month`` and one column for each indicator."""
        return self.recorder.frame()

    @property
    def power_report(self) -> dict[str, float]:
        """Number of solves, the largest relative certificate gap, and fallbacks of the solver."""
        return {"solves": int(self.solves), "max_gap": float(self.max_gap), "fallbacks": int(self.fallbacks)}

    @property
    def balance_residual(self) -> dict[str, float]:
        """Largest relative imbalance of any account in any month, by what is counted."""
        worst = self.ledger.worst
        return {
            self.world.currency.lower(): float(max(worst["money"], worst["debt"], worst["equity"])),
            "gpu": worst["gpu"],
            "mwh": worst["mwh"],
        }

    def site_report(self) -> list[dict[str, Any]]:
        """One entry for each AI site or large load that was announced: its dates, its delay, what bound."""
        sites, world = self.state.sites, self.world
        now = min(self.month, self.calendar.months) - 1
        report = []
        for row in range(sites.count):
            if sites.announced[row] > now:
                continue

            def when(month: int) -> str | None:
                return None if month == NEVER else self.calendar.text(int(month))

            step = {name: int(sites.step[name][row]) for name in sites.step}
            energised = sites.status[row] == ENERGISED
            expected = int(sites.expected[row])
            end = step["energised"] if energised else now
            delay = float(end - expected) if expected <= now or energised else None
            bound, reason = self._why(row, now)
            report.append(
                {
                    "site": sites.key[row],
                    "programme": sites.programme[row],
                    "owner": world.cast.keys[sites.owner[row]],
                    "zone": world.zones.keys[sites.zone[row]],
                    "pool": world.pools.keys[sites.pool[row]],
                    "kind": "ai" if sites.kind[row] == AI else "fab",
                    "originated": bool(sites.originated[row]),
                    "mw": float(sites.mw[row]),
                    "gpus_planned": float(sites.gpus[row]),
                    "gpus_online": float(self.state.chips[row].sum()),
                    "gpus_waiting": float(self.state.store[row].sum()),
                    "announced": when(int(sites.announced[row])),
                    "expected": when(expected),
                    "applied": when(step["applied"]),
                    "assessed": when(step["assessed"]),
                    "permitted": when(step["permitted"]),
                    "decided": when(step["decided"]),
                    "building_complete": when(step["built"]),
                    "connected": when(step["connected"]),
                    "chips_complete": when(step["equipped"]),
                    "energised": when(step["energised"]),
                    "status": STATUS[sites.status[row]],
                    "delay_months": None if delay is None else max(delay, 0.0),
                    "bound": bound,
                    "reason": reason,
                }
            )
        return report

    def _why(self, row: int, now: int) -> tuple[str, str]:
        """What bound a site last, in a word and in a sentence."""
        from abm.phases.building import last_bound

        sites = self.state.sites
        status, waiting = int(sites.status[row]), sites.wait_reason[row]
        asked = _ASKED.get(waiting, waiting)
        if status == ENERGISED:
            late = int(sites.step["energised"][row]) - int(sites.expected[row])
            if late <= 0 or (sites.started_before[row] and sites.step["energised"][row] <= 0):
                return "on time", "It opened when it was announced to."
            bound = last_bound(self, row)
            root = self._root_cause(row, bound)
            return (
                root,
                f"It opened {late} months late; {root} took longest on its path, and {bound} came last.",
            )
        if status == WITHDRAWN:
            return waiting or "withdrawn", f"It was withdrawn: {asked}."
        if status == ANNOUNCED:
            if not sites.sponsor[row]:
                return "no sponsor", "It is announced; nobody stands behind the announcement."
            return (
                waiting or "not yet applied",
                f"It is announced only: {asked or 'its owner has not applied for a connection yet'}.",
            )
        if status == APPLIED:
            if sites.study_due[row] == NEVER:
                return "study queue", "It waits in the utility's queue for its grid study to begin."
            return "grid study", "Its grid study is under way."
        if status == PASSED:
            return (
                waiting or "decision",
                f"It has passed the grid assessment and is not decided: {asked or 'its owner has not decided yet'}.",
            )
        if status == DECIDED:
            if sites.built[row] < 1.0:
                return "building", f"It is decided and {100 * float(sites.built[row]):.0f} % built."
            line = int(sites.needs_line[row])
            if line >= 0 and self.state.line_ready[line] == NEVER:
                key = self.world.lines.keys[line]
                return f"line {key}", f"It is built and waits for the line {key}."
            if sites.equipment[row] < sites.mw[row] - 1e-9:
                return "power equipment", "It is built and waits for transformers and switchgear."
            if sites.ready[row] > now:
                return "substation", "It is built and waits for its substation."
            return "announced date", "It is ready before the date it was announced for."
        return "announced", "It is not announced yet."

    def _root_cause(self, row: int, bound: str) -> str:
        """The longest stretch on the way, against what was foreseen: not always what came last."""
        sites, p = self.state.sites, self.parameters
        step = {name: int(sites.step[name][row]) for name in sites.step}
        if sites.started_before[row] or sites.kind[row] == FAB:
            return bound
        over = {
            "the phase before it" if sites.after[row] >= 0 else "application": step["applied"]
            - int(sites.announced[row])
            - p["letter_months"],
            "grid study and assessment": step["assessed"] - step["applied"] - p["study_months"],
            "permit and finance": step["decided"] - step["assessed"],
        }
        after = max(step["built"], step["connected"]) - step["decided"]
        over[bound] = float(after) - p["build_months"]
        worst = max(over, key=lambda name: (over[name], name))
        return worst if over[worst] > 0 else bound
