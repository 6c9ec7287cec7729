"""A state in words: "grid-first, PUE 1.1"."""

from __future__ import annotations

from runs.app.controls import titled
from runs.app.knobs import Knobs
from runs.app.state import START_SEED, State
from runs.views.numbers import amount
from runs.views.texts import Texts


def state_words(state: State, knobs: Knobs, t: Texts, most: int = 3) -> str:
    """Scenario, package, luck where it is not the usual one, and the first few settings."""
    parts = [
        titled(knobs.scenarios[state.scenario].title, "scenario", state.scenario, t),
        titled(knobs.packages[state.package].title, "package", state.package, t),
    ]
    if state.seed != START_SEED:
        parts.append(t("describe.seed", seed=state.seed))
    parts += [setting_words(name, value, knobs, t) for name, value in state.settings[:most]]
    if len(state.settings) > most:
        parts.append(t("describe.more", count=len(state.settings) - most))
    return ", ".join(parts)


def setting_words(name: str, value: float, knobs: Knobs, t: Texts) -> str:
    """One setting in words."""
    return f"{t.knob(name)} {amount(value, knobs.of[name].unit, t)}"


def step_words(before: State, after: State, knobs: Knobs, t: Texts) -> str:
    """What was done between two states."""
    parts = []
    if before.scenario != after.scenario:
        parts.append(
            f"{t('control.scenario')}: {titled(knobs.scenarios[after.scenario].title, 'scenario', after.scenario, t)}"
        )
    if before.package != after.package:
        parts.append(
            f"{t('control.package')}: {titled(knobs.packages[after.package].title, 'package', after.package, t)}"
        )
    if before.seed != after.seed:
        parts.append(t("describe.seed", seed=after.seed))
    old, new = before.values, after.values
    parts += [setting_words(name, value, knobs, t) for name, value in new.items() if old.get(name) != value]
    gone = [name for name in old if name not in new]
    if len(gone) > 3:
        parts.append(t("describe.taken_back_many", count=len(gone)))
    else:
        parts += [t("describe.taken_back", name=t.knob(name)) for name in gone]
    return ", ".join(parts) or state_words(after, knobs, t)
