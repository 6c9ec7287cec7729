"""Scenarios and packages read from files: values, shocks, months, and what is said about bad input."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Collection
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.calendar import Calendar, parse_month
from abm.phases.outside import SERIES
from abm.quantities import Quantity
from policies import catalogue, shipped_packages
from runs.checking import BadInput
from runs.located_toml import parse_document
from runs.scenario import Scenario, Shock, load_package, load_scenario, parse_scenario, shipped_scenarios

ROOT = Path(__file__).resolve().parents[2]
KOREA = ROOT / "runs" / "worlds" / "korea" / "scenarios"
TOY = ROOT / "runs" / "worlds" / "toy" / "scenarios"
DECADE = Calendar.between("2025-01", "2035-12")
KNOWN_SERIES = {*SERIES, "fuel:lng", "fuel:coal", "fuel:uranium", "fuel:oil"}

# A stand-in for a world's registry: the stable names with their ranges.
REGISTRY = """\
name,unit,default,low,high
line_delay_months,month,0,-12,60
permit_delay_months,month,0,-6,36
gpu_supply_factor,ratio,1,0.3,2
hbm_supply_factor,ratio,1,0.3,2
gpu_price_factor,ratio,1,0.5,2
gpu_power_factor,ratio,1,0.7,1.5
pue,ratio,1.25,1.05,1.6
site_cost_factor,ratio,1,0.7,1.6
lng_price_factor,ratio,1,0.5,3
coal_price_factor,ratio,1,0.5,3
solar_cost_factor,ratio,1,0.5,1.5
wind_cost_factor,ratio,1,0.5,1.5
storage_cost_factor,ratio,1,0.5,1.5
demand_growth,1/year,0.012,-0.01,0.03
apac_demand_growth,1/year,0.21,0.05,0.35
compute_price_elasticity,ratio,1.2,0.6,2
interest_rate_shift,1/year,0,-0.02,0.05
country_risk_premium,1/year,0.008,0,0.08
krw_per_usd,currency/USD,1420,1100,1900
export_cap_gpus,GPU/year,150000,0,1000000
talent_outflow,1/year,0.03,0,0.15
rival_response,ratio,1,0,2.5
weather_draw,index,0,-2,2
ai_demand_bust_month,month,240,12,240
transfer_limit_factor,ratio,1,0.6,1.4
fab_load_gw,GW,6,0,12
nuclear_availability,share,0.84,0.6,0.93
compute_efficiency_growth,1/year,0.3,0,1
gpu_life_months,month,60,30,96
ai_demand_growth,1/year,0.35,0,0.9
world_compute_price_factor,ratio,1,0.4,2
announcement_realisation,share,0.55,0.03,1
kepco_bond_limit,ratio,5,2,8
"""


def quantity(
    name: str, unit: str, default: float, low: float, high: float, role: str = "uncertainty"
) -> Quantity:
    return Quantity(name, unit, default, low, high, "uniform", "a test", "assumption", "Moves it.", role)


QUANTITIES = {
    row["name"]: quantity(
        row["name"], row["unit"], float(row["default"]), float(row["low"]), float(row["high"])
    )
    for row in csv.DictReader(StringIO(REGISTRY))
}
QUANTITIES["hours"] = quantity("hours", "h", 24, 1, 48, role="parameter")


def parse(text: str, series: Collection[str] = KNOWN_SERIES) -> Scenario:
    document = parse_document(text)
    scenario, problems = parse_scenario(document.data, "test", QUANTITIES, series, DECADE, currency="KRW")
    assert not problems
    return scenario


def complaints_of(text: str) -> list[str]:
    document = parse_document(text, "s.toml")
    _, problems = parse_scenario(document.data, "test", QUANTITIES, KNOWN_SERIES, DECADE, currency="KRW")
    return [str(document.complaint(path, message)) for path, message in problems]


def test_a_whole_scenario() -> None:
    scenario = parse("""
        title = "A title"
        about = "What happens."
        world = "korea"
        start = "2026-01"
        end = "2030-12"
        [uncertainties]
        line_delay_months = "24 months"
        krw_per_usd = "1500 KRW/USD"
        pue = 1.3
        [[shocks]]
        series = "fuel:lng"
        from = "2027-10"
        months = 18
        factor = 2.5
        [[shocks]]
        series = "interest_rate"
        from = "2028-01"
        months = "6 months"
        add = 0.02
    """)
    assert scenario.uncertainties == {"line_delay_months": 24.0, "krw_per_usd": 1500.0, "pue": 1.3}
    assert scenario.shocks == (
        Shock("fuel:lng", parse_month("2027-10"), 18, 2.5, 0.0),
        Shock("interest_rate", parse_month("2028-01"), 6, 1.0, 0.02),
    )
    assert scenario.calendar(DECADE) == Calendar.between("2026-01", "2030-12")


def test_an_empty_scenario_is_the_worlds_own_future() -> None:
    scenario = parse("")
    assert (scenario.title, scenario.uncertainties, scenario.shocks) == ("test", {}, ())
    assert scenario.calendar(DECADE) == DECADE


SHOCK = '[[shocks]]\nseries = "gpu_supply"\nfrom = "2027-01"\nmonths = 12\nfactor = 0.5\n'
BAD = {
    "unknown uncertainty": (
        "[uncertainties]\npeu = 1.2",
        "s.toml:2: uncertainties.peu: found 'peu', which is no uncertainty; did you mean 'pue'?",
    ),
    "range": ("[uncertainties]\npue = 2", "s.toml:2: uncertainties.pue: found 2, allowed 1.05 to 1.6 ratio"),
    "unit": (
        '[uncertainties]\nfab_load_gw = "9 MW"',
        "s.toml:2: uncertainties.fab_load_gw: found the unit 'MW', expected the unit 'GW'",
    ),
    "type": (
        "[uncertainties]\npue = true",
        "s.toml:2: uncertainties.pue: found true, expected a number in ratio",
    ),
    "parameter": (
        "[uncertainties]\nhours = 3",
        "s.toml:2: uncertainties.hours: is a parameter of the world, no uncertainty; "
        "give it in the table [parameters]",
    ),
    "uncertainty as parameter": (
        "[parameters]\npue = 1.2",
        "s.toml:2: parameters.pue: is an uncertainty; give it in the table [uncertainties]",
    ),
    "unknown parameter": (
        "[parameters]\nhuors = 3",
        "s.toml:2: parameters.huors: found 'huors', which is no parameter; did you mean 'hours'?",
    ),
    "table": ("uncertainties = 3", "s.toml:1: uncertainties: found 3, expected a table of keys"),
    "key": (
        "[uncertainty]\npue = 1",
        "s.toml:1: uncertainty: found 'uncertainty', which is no key of a scenario; "
        "did you mean 'uncertainties'?",
    ),
    "start": (
        'start = "2024-12"',
        "s.toml:1: start: found 2024-12, allowed 2025-01 to 2035-12, the months of the world",
    ),
    "end": (
        'start = "2027-01"\nend = "2026-12"',
        "s.toml:2: end: found 2026-12, which is before the start, 2027-01",
    ),
    "series": (
        SHOCK.replace("gpu_", "gpus_"),
        "s.toml:2: shocks[1].series: found 'gpus_supply', which is no series "
        "that a shock may change; did you mean 'gpu_supply'?",
    ),
    "from": (
        SHOCK.replace("2027-01", "2036-01"),
        "s.toml:3: shocks[1].from: found 2036-01, allowed 2025-01 to 2035-12, the months of the run",
    ),
    "from before a later start": (
        'start = "2028-01"\n' + SHOCK,
        "s.toml:4: shocks[1].from: found 2027-01, allowed 2028-01 to 2035-12, the months of the run",
    ),
    "months": (
        SHOCK.replace("12", "1.5"),
        "s.toml:4: shocks[1].months: found 1.5, expected a whole number of months",
    ),
    "no months": (SHOCK.replace("12", "0"), "s.toml:4: shocks[1].months: found 0, allowed 1 to 1200 month"),
    "factor": (SHOCK.replace("0.5", "-1"), "s.toml:5: shocks[1].factor: found -1, allowed 0 to 100 ratio"),
    "add": (
        SHOCK + "add = 0.1",
        "s.toml:6: shocks[1].add: only interest_rate and country_risk take it; use 'factor'",
    ),
    "missing": (
        '[[shocks]]\nfrom = "2027-01"\nmonths = 1\nfactor = 1',
        "s.toml:1: shocks[1]: the key 'series' is missing",
    ),
    "no effect": (SHOCK.replace("factor = 0.5", ""), "s.toml:1: shocks[1]: the key 'factor' is missing"),
    "shock key": (SHOCK + "size = 1", "s.toml:6: shocks[1].size: found 'size', which is no key of a shock; "),
    "shocks": ("shocks = 1", "s.toml:1: shocks: found 1, expected tables headed by [[...]]"),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_bad_input_is_one_clear_line(text: str, says: str) -> None:
    (complaint,) = complaints_of(text)
    assert complaint.startswith(says)


def test_everything_wrong_is_said_at_once() -> None:
    found = complaints_of("titel = 1\n[uncertainties]\npue = 9\nx = 1\n[[shocks]]\nseries = 1\nfrom = 2\n")
    assert [line.split(": ")[0] for line in found] == [
        "s.toml:1",
        "s.toml:3",
        "s.toml:4",
        "s.toml:5",
        "s.toml:5",
        "s.toml:6",
        "s.toml:7",
    ]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["title", "world", "start", "end", "uncertainties", "shocks", "other"]),
        st.recursive(
            st.one_of(
                st.booleans(), st.integers(), st.floats(), st.sampled_from(["2026-01", "pue", "gpu_supply"])
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=2),
                st.dictionaries(
                    st.sampled_from(["pue", "series", "from", "months", "factor", "add"]), inner, max_size=4
                ),
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_no_document_breaks_the_parser(data: dict[str, object]) -> None:
    scenario, problems = parse_scenario(data, "any", QUANTITIES, KNOWN_SERIES, DECADE)
    assert 0 < scenario.calendar(DECADE).months <= DECADE.months
    for name, value in scenario.uncertainties.items():
        assert QUANTITIES[name].complaint(value) is None
    assert all(message for _, message in problems)


def shipped(name: str, folder: Path, calendar: Calendar = DECADE) -> Scenario:
    return load_scenario(
        name, folder, QUANTITIES, KNOWN_SERIES, calendar, world=folder.parent.name, currency="KRW"
    )


def test_all_that_design_names_are_there() -> None:
    assert set(shipped_scenarios(KOREA)) >= {
        "baseline",
        "grid-delay",
        "chip-squeeze",
        "capital-flight",
        "rival-surge",
        "ai-winter",
        "lng-spike",
        "tension",
    }
    assert set(shipped_scenarios(TOY)) >= {"baseline", "shortage"}


@pytest.mark.parametrize("name", shipped_scenarios(KOREA))
def test_every_scenario_of_korea_is_good(name: str) -> None:
    scenario = shipped(name, KOREA)
    assert scenario.title != name
    assert scenario.about.endswith(".")
    if name != "baseline":
        assert scenario.uncertainties or scenario.shocks
        for uncertainty, value in scenario.uncertainties.items():
            assert value != QUANTITIES[uncertainty].default


@pytest.mark.parametrize("name", shipped_scenarios(TOY))
def test_every_scenario_of_the_toy_world_is_good(name: str) -> None:
    shipped(name, TOY, Calendar.between("2025-01", "2028-12"))


def test_baseline_changes_nothing() -> None:
    baseline = shipped("baseline", KOREA)
    assert not baseline.uncertainties
    assert not baseline.shocks


def test_nothing_of_the_ai_winter_comes_before_the_bust() -> None:
    winter = shipped("ai-winter", KOREA)
    bust = DECADE.first + int(winter.uncertainties["ai_demand_bust_month"])
    assert set(winter.uncertainties) == {"ai_demand_bust_month"}
    assert all(shock.start >= bust for shock in winter.shocks)


def test_the_gas_spike_lasts_across_the_fall_of_the_bond_limit() -> None:
    spike = shipped("lng-spike", KOREA)
    assert spike.uncertainties["kepco_bond_limit"] == 2
    (gas,) = [shock for shock in spike.shocks if shock.series == "fuel:lng"]
    assert gas.start < parse_month("2028-01") < gas.start + gas.months


def test_a_scenario_of_ones_own_and_of_another_world(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("world = 'korea'\n[uncertainties]\npue = 1.1\n", encoding="utf-8")
    found = load_scenario(file, KOREA, QUANTITIES, KNOWN_SERIES, DECADE, world="korea")
    assert (found.name, found.uncertainties) == ("mine", {"pue": 1.1})
    with pytest.raises(
        BadInput, match=r"mine.toml:1: world: found 'korea', but this run is of the world 'toy'"
    ):
        load_scenario(file, TOY, QUANTITIES, KNOWN_SERIES, DECADE, world="toy")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("base-line", "which is no scenario of this world; did you mean 'baseline'?"),
        ("none.toml", "none.toml: file: found no such file"),
    ],
)
def test_a_scenario_that_is_not_there(name: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        shipped(name, KOREA)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", shipped_packages())
def test_every_package_that_ships_loads(name: str) -> None:
    watched = {
        "grid_queue_mw": "MW",
        "startup_served_share": "share",
        "power_price_krw_per_mwh": "KRW/MWh",
        "lole_hours": "h",
        "apac_share": "share",
    }
    package = load_package(name, catalogue(), indicators=watched, currency="KRW")
    assert package.name == name


WRONG = """\
base = "below"
[levers]
renewable_auction_gw = 15
tax_credit = [
  { from = "2026-01", value = 0.1 },
  { from = "2026-99", value = 0.1 },
]
[[triggers]]
name = "t"
indicator = "grid_queue"
above = 1
package = "broken"
"""


def test_a_package_of_ones_own_names_file_line_and_key_of_all_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "below.toml").write_text("[levers]\npue = 1\n", encoding="utf-8")
    (tmp_path / "broken.toml").write_text("[levers]\n\ntax_credit = \n", encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(WRONG, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_package(mine, catalogue(), indicators={"grid_queue_mw"})
    found = [line.replace(f"{tmp_path}/", "") for line in str(caught.value).splitlines()]
    assert [line.split(" found")[0] for line in found] == [
        "mine.toml:3: levers.renewable_auction_gw:",
        "mine.toml:6: levers.tax_credit[2].from:",
        "mine.toml:10: triggers[1].indicator:",
        "below.toml:2: levers.pue:",
        "broken.toml:3: tax_credit: no valid TOML at column 14: Invalid value",
    ]
    assert "did you mean 'grid_queue_mw'?" in found[2]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("grid-frist", "which is no package that ships; did you mean 'grid-first'?"),
        ("none.toml", "found no such file"),
    ],
)
def test_a_package_that_is_not_there(name: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_package(name, catalogue())
    assert says in str(caught.value)


def test_reading_input_imports_nothing_heavy() -> None:
    code = (
        "import sys, runs.scenario, runs.spec, policies; "
        "print(sorted({'numpy', 'mesa', 'numba', 'highspy', 'networkx', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
