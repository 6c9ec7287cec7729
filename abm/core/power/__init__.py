"""Least-cost hourly dispatch of a zonal transport model."""

from .backends import DEFAULT_BACKEND, Backend, dispatch, dispatch_many
from .case import InfeasibleCaseError, PowerCase, PowerResult

__all__ = [
    "DEFAULT_BACKEND",
    "Backend",
    "InfeasibleCaseError",
    "PowerCase",
    "PowerResult",
    "dispatch",
    "dispatch_many",
]
