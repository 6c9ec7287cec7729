"""What a model holds, by name and type: shared by the parts of :class:`abm.model.Model`.

Nothing is assigned here. The parts (queries, accounts, reporting) are written against these names;
``Model`` fills them when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from abm.accounts import Spending
    from abm.board import Board
    from abm.calendar import Calendar
    from abm.chips import ChipChain
    from abm.decisions import Decisions
    from abm.ledger import Ledger
    from abm.luck import Luck
    from abm.phases.hosting import Hosting
    from abm.phases.outside import Outside
    from abm.phases.policy import Budget
    from abm.phases.power import PowerSystem
    from abm.population import Startups
    from abm.quantities import Parameters
    from abm.series import Recorder
    from abm.site_machines import SiteMachines
    from abm.stakeholder import Stakeholder
    from abm.state import State, Utility
    from abm.supply import SupplyGraph
    from abm.talent import TalentPool
    from abm.transfers import Transfers
    from abm.works import SiteWorks
    from abm.world import World


class Holdings:
    """Attributes of a model; money in the world's currency, months as indices of the run."""

    world: World
    quantities: Parameters
    """What the run's numbers are, with unit and range."""
    parameters: Mapping[str, float]
    """Their values by handle, in a plain dictionary: one of a class of its own takes three times as long to read."""
    calendar: Calendar
    month: int
    luck: Luck
    outside: Outside
    board: Board
    state: State
    utility: Utility
    ledger: Ledger
    transfers: Transfers
    decisions: Decisions
    recorder: Recorder
    supply: SupplyGraph
    chips: ChipChain
    works: SiteWorks
    site_machines: SiteMachines
    people: TalentPool
    still_needed: tuple[float, float]
    """MW of equipment, and of buildings, that sites under way needed when this month's building began."""
    short_of_chips: dict[int, list[tuple[int, float]]]
    """Owner (row of the cast) to its sites that want accelerators this month, and how many."""
    announcements: dict[int, list[int]]
    """Month to the sites that are announced in it."""
    seeking_consent: dict[int, list[int]]
    """Zone to its sites that ask this month whether they may come."""
    stakeholders: list[Stakeholder]
    agent_of: dict[str, Stakeholder]
    startups: Startups
    hosting: Hosting
    power: PowerSystem
    budget: Budget
    power_month: Any
    compute_month: Any

    # who, and which machines
    makers: dict[str, int]
    maker_of: list[str]
    leading_maker: str
    is_npu: np.ndarray
    vintage_kw: np.ndarray
    """(vintages,) as the world's table has it, in an array that compiled code takes."""
    vintage_price: np.ndarray
    """(vintages,) price of a machine before the exchange rate."""
    vintage_h100e: np.ndarray
    is_leader: np.ndarray
    """(vintages,) made by the leading maker."""
    investor: dict[str, int]
    investor_names: list[str]
    owner_rows: list[int]
    utility_account: str
    direct_seller: str
    direct_share_now: float
    """Share of AI load that was bought directly from renewables this month."""
    direct_mwh: float
    coming_direct: np.ndarray
    """(months,) renewables that begin to serve in a month and are bought directly, MW."""
    lender_account: str
    chip_age: np.ndarray
    """(sites, vintages) mean month in which what stands there was delivered."""

    # money
    equity_paid: np.ndarray
    """(sites, investors) paid in so far."""
    paid_in: np.ndarray
    arrears: np.ndarray
    chip_deposits: np.ndarray
    """Deposits that sites' owners have paid for accelerators not yet delivered, currency."""
    state_purchased: np.ndarray
    """(sites,) whether the state buys the machines of a site."""
    spending: Spending
    cash: np.ndarray
    """(investors,) what sites paid out to each less what it paid in, currency."""
    deployed: np.ndarray
    """(investors,) equity paid in so far, currency."""
    generator_margin: np.ndarray
    """(groups of generators,) settlement less what they paid on so far, currency."""
    site_terms_of_run: np.ndarray
    _owner_number: tuple[int, np.ndarray]
    _programme_lines: np.ndarray
    """By lever: line of the journal on which its cost to the budget is booked."""
    _profits: tuple[int, dict[str, float]] | None
    pooled_flow: np.ndarray
    """(months,) net cash flow of all equity in project-financed sites."""
    committed_total: float
    deployed_total: float
    public_month: float
    interest_earned: float

    # what was found along the way
    belief: list[float]
    views: dict[str, Any]
    """What stakeholders who see the same have found out together, by name."""
    solves: int
    fallbacks: int
    max_gap: float
    market_residual: float
    _acting: dict[str, list[Stakeholder]]
    _rhythms: dict[str, list[tuple[Stakeholder, int, int]]]
    """By phase: who acts in it, every so many months, and the offset."""
    _per_mw: dict[str, float]
    _newest: dict[tuple[str, int], int]
    _leading: list[int]
    """By month, the vintage that a buyer counts on: the leading maker's newest."""
    _of_kind: dict[str, list[Stakeholder]]
    _own_need: float
    _demand_scale: list[float]
    _plant_names: tuple[str, ...]
    closing_order: list[int]
    """Plants that policy may close, the oldest first."""
    _sellers: list[tuple[str, str]]
    _energy: np.ndarray
    _full_hours: np.ndarray
    _direct_mw: float
    _outlook_price: list[float]
    _demand_seen: list[float]
