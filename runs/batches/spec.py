"""What a batch is asked to run: scenarios x packages x samples x replicates, and what is kept of it.

The same object comes from a TOML file (:mod:`runs.batches.batchfile`) and from Python. It holds names and
plain values only; :func:`runs.batches.planning.plan` checks it against a world, and
:func:`runs.batches.mesaplan.plan_model` that of a Mesa model against its class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from policies.package import Package
    from runs.scenario import Scenario

Reporter = str | Callable[[Any], Any]
"""Where a figure of a Mesa model is read: an attribute, or a function of the model."""

Method = Literal["monte-carlo", "lhs", "sobol", "saltelli", "morris", "factorial"]
METHODS: tuple[str, ...] = get_args(Method)

DESIGNS = ("saltelli", "morris", "factorial")
"""Methods whose rows mean something only together: they cannot be stopped early, nor correlated."""

LARGEST_SEED = 2**63 - 1
LARGEST_BATCH = 50_000_000
"""More runs than this are taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Range:
    """Where a quantity is drawn from instead of its own range; ``mode`` is for ``triangular`` alone."""

    low: float
    high: float
    distribution: str = "uniform"
    mode: float | None = None


@dataclass(frozen=True, slots=True)
class Correlation:
    """Rank correlation (Spearman) wanted between two drawn quantities."""

    first: str
    second: str
    rank: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What is drawn and how.

    ``n`` is the number of rows for ``monte-carlo``, ``lhs`` and ``sobol``, the base sample of
    ``saltelli`` (N (d + 2) rows, or N (2 d + 2) with ``second_order``) and the number of trajectories of
    ``morris`` (N (d + 1) rows); ``factorial`` takes ``levels`` for each quantity instead.
    ``uncertainties`` None means all of the world's.
    """

    method: str = "lhs"
    n: int = 64
    uncertainties: tuple[str, ...] | None = None
    levers: tuple[str, ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    correlations: tuple[Correlation, ...] = ()
    levels: int = 3
    second_order: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """What of each run is written; None means all. Decisions and sites make a folder that explains itself."""

    indicators: tuple[str, ...] | None = None
    """Final values in the runs table."""
    series: tuple[str, ...] | None = None
    """Monthly series; an empty tuple keeps none."""
    decisions: bool = False
    sites: bool = False


@dataclass(frozen=True, slots=True)
class Fork:
    """Every run is ``base`` until the month ``at`` (``YYYY-MM``), and its own package from then on."""

    at: str
    base: str | Package = "as-announced"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single run may take before it is given up, and how often it may lose its worker."""

    time_s: float = 600.0
    memory_mb: float | None = None
    """Of the worker that runs it; None: four fifths of the machine's memory, shared by the workers."""
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Many runs: each scenario with each package, each sample and each replicate.

    Scenarios and packages are names that ship, paths of TOML files, or objects. ``settings`` fix
    uncertainties and levers in every run. Replicate ``r`` has the same root seed everywhere, and sample
    ``k`` the same values. ``watch`` is the indicator whose interval is shown while the batch runs.
    """

    world: str = "korea"
    scenarios: tuple[str | Scenario, ...] = ("baseline",)
    packages: tuple[str | Package, ...] = ("as-announced",)
    replicates: int = 1
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    sample: Sample | None = None
    keep: Keep = Keep()
    fork: Fork | None = None
    limits: Limits = Limits()
    watch: str = ""
    title: str = ""
    about: str = ""
    file: str = ""
    """Name of the file that it was read from, if any."""


@dataclass(frozen=True, slots=True)
class ModelBatch:
    """Many runs of a Mesa model: each combination of parameters with each sample and each replicate.

    ``model`` is the class, or its name as a batch file gives it. ``parameters`` are values or lists of
    values; ``sample`` draws those that its ranges name. ``indicators`` are model reporters of the class's
    data collector (None: all), or names with an attribute or function of the model for each; ``series``
    those of them that are kept at every step.
    """

    model: type | str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    replicates: int = 1
    max_steps: int = 1000
    seed: int = 0
    sample: Sample | None = None
    indicators: Mapping[str, Reporter] | Sequence[str] | None = None
    series: bool | Sequence[str] = True
    limits: Limits = Limits()
    watch: str = ""
    title: str = ""
    about: str = ""
    file: str = ""
