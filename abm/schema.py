"""The form of a world's tables: which columns, in which unit, within which bounds.

The loader checks files against this; the documentation of the world's data is generated from it.
Units that hold money say ``currency``; what that is, is the world's own statement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

INF = math.inf


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``kind``: key, text, number, whole, month, flag, choice, ref (``to`` a table)."""

    name: str
    kind: str = "number"
    unit: str = "-"
    low: float = 0.0
    high: float = INF
    blank: bool = False
    choices: tuple[str, ...] = ()
    to: str = ""
    about: str = ""
    optional: bool = False
    """Whether a file may leave the column out."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """One table: its file is ``<name>.csv`` in the world's folder, or below ``folder``."""

    name: str
    about: str
    columns: tuple[Column, ...]
    folder: str = ""
    sourced: bool = True
    """Every row carries source, confidence (high, medium, low, assumption) and a note."""
    optional: bool = False

    @property
    def key(self) -> str | None:
        return next((column.name for column in self.columns if column.kind == "key"), None)


def _key(name: str, about: str = "") -> Column:
    return Column(name, "key", about=about)


def _text(name: str, blank: bool = False, about: str = "") -> Column:
    return Column(name, "text", blank=blank, about=about)


def _ref(name: str, to: str, blank: bool = False, about: str = "") -> Column:
    return Column(name, "ref", to=to, blank=blank, about=about)


def _month(name: str, blank: bool = False, about: str = "") -> Column:
    return Column(name, "month", blank=blank, about=about)


def _number(
    name: str, unit: str, low: float = 0.0, high: float = INF, blank: bool = False, about: str = ""
) -> Column:
    return Column(name, "number", unit, low, high, blank, about=about)


def _choice(name: str, *choices: str) -> Column:
    return Column(name, "choice", choices=choices)


FORMS: tuple[TableForm, ...] = (
    TableForm(
        "zones",
        "Regions between which power flows over lines.",
        (
            _key("zone"),
            _text("name"),
            _text("name_ko", blank=True),
            Column(
                "capital_region", "flag", about="1 where siting incentives for the provinces do not apply"
            ),
            _number("demand_mwh", "MWh/year", about="electricity demand without AI sites, first year"),
            _number("latitude", "degree", -90, 90),
            _number("longitude", "degree", -180, 180),
        ),
    ),
    TableForm(
        "pools",
        "Groups of substations inside a zone that share connection headroom.",
        (
            _key("pool"),
            _ref("zone", "zones"),
            _number("headroom_mw", "MW", about="free connection capacity at the start"),
            _number(
                "growth_mw", "MW/year", about="headroom added a year by the utility's substation programme"
            ),
            _number(
                "pass_share",
                "share",
                0.001,
                0.999,
                about="share of applications that pass the grid assessment while headroom is as at the start",
            ),
        ),
    ),
    TableForm(
        "lines",
        "Transfer capacity between zones, and lines that relieve a pool.",
        (
            _key("line"),
            _ref("from_zone", "zones"),
            _ref("to_zone", "zones"),
            _number("forward_mw", "MW"),
            _number("backward_mw", "MW"),
            _choice("status", "existing", "planned"),
            _month("due", blank=True, about="announced completion of a planned line"),
            _number("cost_bn", "bn currency", blank=True),
            _ref("relieves", "pools", blank=True, about="pool whose headroom the line adds to"),
            _number("relief_mw", "MW", about="headroom added to that pool on completion"),
        ),
    ),
    TableForm(
        "technologies",
        "Ways to generate power.",
        (
            _key("technology"),
            _text("name"),
            _ref("fuel", "fuels", blank=True),
            _number("fuel_factor", "ratio", 0, 10, about="fuel cost relative to the fuel's fleet average"),
            _number("variable_cost", "currency/MWh", 0),
            _number("emission_t_mwh", "t/MWh", 0, 2),
            _number(
                "availability", "share", 0, 1, about="mean share of capacity not on planned or forced outage"
            ),
            _number("forced_outage", "share", 0, 0.5),
            _number("unit_mw", "MW", 1),
            _number("must_run", "share", 0, 1, about="share of available capacity offered at negative cost"),
            Column("carbon_free", "flag"),
            Column("renewable", "flag"),
            _choice("profile", "none", "solar", "wind", "hydro"),
            _number("settlement_share", "share", 0, 1, about="a in c + a (system price - c)"),
            _number("capacity_payment", "currency/MW-month", 0),
        ),
    ),
    TableForm(
        "plants",
        "Capacity by zone, technology and date; planned additions included.",
        (
            _ref("zone", "zones"),
            _ref("technology", "technologies"),
            _month("commissioned"),
            _month("retires", blank=True),
            _number("mw", "MW"),
            _choice("retirement", "none", "licence", "policy"),
        ),
    ),
    TableForm(
        "stores",
        "Pumped hydro and batteries.",
        (
            _ref("zone", "zones"),
            _text("technology"),
            _month("commissioned"),
            _month("retires", blank=True),
            _number("mw", "MW"),
            _number("mwh", "MWh"),
            _number("charge_efficiency", "share", 0.01, 1),
            _number("discharge_efficiency", "share", 0.01, 1),
        ),
    ),
    TableForm(
        "fuels",
        "Fuels, with the yearly volatility of their price about its trend.",
        (
            _key("fuel"),
            _text("name"),
            _number("volatility", "1/sqrt(year)", 0, 2),
            _number(
                "exchange_share", "share", 0, 1, about="share of the price that moves with the exchange rate"
            ),
            _text("factor", blank=True, about="parameter that scales the price"),
        ),
    ),
    TableForm(
        "fuel_prices",
        "Fuel cost of a MWh of electricity by month; the last twelve months repeat.",
        (
            _ref("fuel", "fuels"),
            _month("month"),
            _number("price", "currency/MWh"),
        ),
    ),
    TableForm(
        "availability",
        "Share of capacity available by calendar month, on top of the technology's mean.",
        (
            _ref("technology", "technologies"),
            _ref("zone", "zones", blank=True, about="blank: every zone"),
            Column("calendar_month", "whole", "month", 1, 12),
            _number("factor", "ratio", 0, 1.5),
        ),
    ),
    TableForm(
        "day_weights",
        "Representative days: how many days of the month each stands for.",
        (
            Column("calendar_month", "whole", "month", 1, 12),
            _text("day"),
            _number("days", "day", 0, 31),
        ),
        folder="days",
        sourced=False,
    ),
    TableForm(
        "days",
        "Hours of the representative days.",
        (
            Column("calendar_month", "whole", "month", 1, 12),
            _text("day"),
            Column("hour", "whole", "hour", 0, 167),
            _ref("zone", "zones"),
            _number("demand_mw", "MW"),
            _number("solar", "MW/MW", 0, 1),
            _number("wind", "MW/MW", 0, 1),
            _number("hydro", "MW/MW", 0, 1),
        ),
        folder="days",
        sourced=False,
    ),
    TableForm(
        "cast",
        "Who decides: one row for each stakeholder.",
        (
            _key("who"),
            _text("name"),
            _text("name_ko", blank=True),
            _text("kind"),
            _ref("zone", "zones", blank=True),
            Column("foreign", "flag"),
            _text("objective", about="what the stakeholder's score counts, in natural units"),
        ),
    ),
    TableForm(
        "traits",
        "Numbers that belong to one stakeholder.",
        (
            _ref("who", "cast"),
            _text("trait"),
            _number("value", "-", -INF, INF),
            _text("unit"),
            _number("low", "-", -INF, INF),
            _number("high", "-", -INF, INF),
        ),
    ),
    TableForm(
        "goods",
        "What travels over the supply graph.",
        (_key("good"), _text("unit"), _text("about")),
        sourced=False,
    ),
    TableForm(
        "edges",
        "Who supplies what to whom.",
        (
            _ref("supplier", "cast"),
            _ref("buyer", "cast"),
            _ref("good", "goods"),
            _number("capacity", "unit/month", blank=True, about="blank: no limit on the edge itself"),
            _number("lead_months", "month", 0, 120),
            _number("share", "share", 0, 1, about="contract share of the buyer's orders"),
            Column(
                "priority",
                "whole",
                "-",
                0,
                8,
                about="class of the buyer with a supplier that rations by priority, the lowest first",
                optional=True,
            ),
        ),
    ),
    TableForm(
        "rationing",
        "How a supplier shares what is scarce, and what it takes in advance; proportional and nothing where no row says.",
        (
            _ref("supplier", "cast"),
            _ref("good", "goods"),
            _choice("rule", "proportional", "contract", "priority", "first-come"),
            _number("deposit", "share", 0, 1, about="share of the price that is paid with an order"),
        ),
        optional=True,
    ),
    TableForm(
        "recipes",
        "Inputs per unit of output.",
        (
            _ref("output", "goods"),
            _ref("input", "goods"),
            _number("quantity", "unit/unit"),
            _number("lead_months", "month", 0, 120),
        ),
    ),
    TableForm(
        "vintages",
        "Accelerators by date of availability.",
        (
            _key("vintage"),
            _ref("maker", "cast"),
            _month("available"),
            _number("h100e", "H100-equivalents", 0, 1000),
            _number("kw", "kW", 0.01, 20, about="IT power of one, server included"),
            _number("price_usd", "USD", 0, about="price of one with its share of server and network"),
            _number("hbm_gb", "GB", 0),
        ),
    ),
    TableForm(
        "sites",
        "AI sites and other large loads: running, building, or announced without obligation.",
        (
            _key("site"),
            _text("programme"),
            _ref("owner", "cast"),
            _ref("zone", "zones"),
            _ref("pool", "pools"),
            _choice("kind", "ai", "fab"),
            _choice("finance", "state", "corporate", "project"),
            _number("mw", "MW", about="facility power of this phase"),
            _number("gpus", "GPU", about="accelerators planned for this phase"),
            _month("announced"),
            _month("expected"),
            _choice("status", "operating", "building", "announced"),
            _ref("after", "sites", blank=True, about="phase that must be decided first"),
            _number("own_use", "share", 0, 1, about="share of capacity the owner keeps for itself"),
            _number("anchor", "share", 0, 1, about="share of the rest sold ahead under contract"),
            _number(
                "shell_bn",
                "bn currency",
                blank=True,
                about="cost of the building; blank: cost per MW parameter",
            ),
        ),
    ),
    TableForm(
        "stock",
        "Accelerators installed at the start.",
        (
            _ref("site", "sites"),
            _ref("vintage", "vintages"),
            _number("gpus", "GPU"),
        ),
    ),
    TableForm(
        "resources",
        "Where new renewables and storage can be built.",
        (
            _ref("zone", "zones"),
            _ref("technology", "technologies", blank=True, about="blank: battery storage"),
            _number("potential_mw", "MW", about="most that can be added during the run"),
            _number("share", "share", 0, 1, about="share of national additions"),
            _number("lead_months", "month", 0, 240),
            _number("capex", "currency/MW"),
            _number("fixed_cost", "currency/MW-year"),
            _number(
                "base_mw_year", "MW/year", about="additions a year that existing support already carries"
            ),
        ),
    ),
    TableForm(
        "countries",
        "Hosts that compete for the region's computing demand.",
        (
            _ref("who", "cast", blank=True, about="blank: the home country"),
            _key("country"),
            Column("home", "flag"),
            _number("capacity_mw", "MW"),
            _number("pipeline_mw_year", "MW/year"),
            _number("power_price_usd", "USD/MWh"),
            _number("latency_ms", "ms"),
            _number("data_strictness", "index", 0, 1),
            _number("carbon_kg_mwh", "kg/MWh"),
            _number("risk", "share", 0, 0.2),
            _number("lead_months", "month", 0, 120),
            _text("nest"),
            _number(
                "attraction", "utility", -10, 10, about="constant of the logit, fitted to today's shares"
            ),
        ),
    ),
    TableForm("elections", "Months in which tariffs are not raised.", (_month("month"), _text("election"))),
    TableForm(
        "indicators",
        "What is measured, and how a year is made of months.",
        (
            _key("indicator"),
            _text("measure", about="quantity of the framework that is reported"),
            _text("who", blank=True, about="stakeholder it is about; * for one column each"),
            _text("unit"),
            _choice("yearly", "last", "sum", "mean", "max"),
            _text("about"),
            _text("later", blank=True, about="where the mechanism comes later: why it is null"),
        ),
        sourced=False,
    ),
    TableForm(
        "goals",
        "What was promised, against which the outcome is held.",
        (
            _key("goal"),
            _text("text"),
            _text("indicator"),
            _choice("comparison", ">=", "<="),
            _number("value", "-", -INF, INF),
            _month("by"),
        ),
    ),
)

BY_NAME: dict[str, TableForm] = {form.name: form for form in FORMS}
SOURCED: tuple[Column, ...] = (
    _text("source"),
    Column("confidence", "choice", choices=("high", "medium", "low", "assumption")),
    _text("note", blank=True),
)
