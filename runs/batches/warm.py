"""Imported once by the fork server, so that every worker begins with everything at hand."""

from __future__ import annotations

import mesa
import numpy
import pyarrow.parquet

import abm.core.philox
import abm.core.power.simplex
import abm.model
import agents.cast
import runs.assemble
import runs.batches.worker
import runs.batches.worlds

__all__ = ["abm", "agents", "mesa", "numpy", "pyarrow", "runs"]
