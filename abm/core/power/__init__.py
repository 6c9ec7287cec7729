"""Least-cost hourly dispatch of a zonal transport model."""

from .backends import DEFAULT_BACKEND, Backend, dispatch, dispatch_many
from .case import InfeasibleCaseError, PowerCase, PowerResult
from .days import DayResults, PowerDays

__all__ = [
    "DEFAULT_BACKEND",
    "Backend",
    "DayResults",
    "InfeasibleCaseError",
    "PowerCase",
    "PowerDays",
    "PowerResult",
    "dispatch",
    "dispatch_many",
]
