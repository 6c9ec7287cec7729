"""Cheap Mesa models for tests of the machinery, some of which misbehave where they are told to."""

from __future__ import annotations

import math
import os
import signal
import time
from typing import Any

import mesa


class Cheap(mesa.Model):
    """A random walk of ``steps`` steps with a drift; ``trouble`` in chosen cases, after half of them.

    ``trouble`` maps a value of ``x`` to ``raise``, ``nan``, ``inf``, ``hang``, ``die``, ``grow`` or
    ``die-once FILE`` (dies unless FILE exists, and makes it).
    """

    def __init__(
        self, x: float = 0.0, steps: int = 4, pause: float = 0.0, trouble: str = "", rng: Any = None
    ):
        super().__init__(rng=rng)
        self.x, self.steps_wanted, self.pause = x, steps, pause
        self.trouble = dict(part.split("=") for part in trouble.split(";") if part).get(f"{x:g}", "")
        self.level = 0.0
        self.at = 0
        self.hoard: list[bytearray] = []
        self.datacollector = mesa.DataCollector(model_reporters={"level": "level", "at": "at"})
        self.datacollector.collect(self)

    def step(self) -> None:
        self.at += 1
        self.level += self.x + float(self.rng.normal())
        if self.pause:
            time.sleep(self.pause)
        if self.at == (self.steps_wanted + 1) // 2:
            self._misbehave()
        self.datacollector.collect(self)
        self.running = self.at < self.steps_wanted

    def _misbehave(self) -> None:
        kind, _, argument = self.trouble.partition(" ")
        if kind == "raise":
            raise RuntimeError("told to fail")
        if kind == "nan":
            self.level = math.nan
        if kind == "inf":
            self.level = math.inf
        if kind == "hang":
            while True:
                time.sleep(0.01)
        if kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "die-once" and not os.path.exists(argument):
            with open(argument, "w", encoding="utf-8"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "grow":
            while True:
                self.hoard.append(bytearray(60_000_000))
                time.sleep(0.02)


class WithoutCollector(mesa.Model):
    """Has no data collector."""

    def __init__(self, size: int = 3, rng: Any = None):
        super().__init__(rng=rng)
        self.size = size
        self.total = 0

    def step(self) -> None:
        self.total += self.size
        self.running = self.total < 12


class Luckless(mesa.Model):
    """Takes no seed."""

    def __init__(self) -> None:
        super().__init__()
