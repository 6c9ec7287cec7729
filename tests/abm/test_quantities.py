"""A quantity refuses what it cannot be, and parameters are set by public name and read by handle."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.quantities import Parameters, Quantity, nearest

PUE = Quantity("pue", "ratio", 1.25, 1.05, 1.6, "triangular", "a source", "medium", "energy of sites")
RATE = replace(
    PUE,
    name="won_per_dollar",
    handle="exchange_rate",
    unit="KRW/USD",
    default=1400.0,
    low=1100.0,
    high=1900.0,
)
REGISTRY = {"pue": PUE, "won_per_dollar": RATE}


@pytest.mark.parametrize("value", [1.05, 1.6, 1.25, True + 0.3])
def test_a_value_on_or_within_the_bounds_is_taken(value: float) -> None:
    assert PUE.complaint(value) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "found 1, allowed 1.05 to 1.6 ratio"),
        (1.7, "found 1.7, allowed 1.05 to 1.6 ratio"),
        (math.nan, "found nan, expected a finite number in ratio"),
        (-math.inf, "found -inf, expected a finite number in ratio"),
        ("1.2", "found '1.2', expected a number in ratio"),
        (None, "found None, expected a number in ratio"),
        (True, "found True, expected a number in ratio"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_with_its_unit(value: object, said: str) -> None:
    assert PUE.complaint(value) == said


@settings(deadline=None)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_exactly_the_numbers_within_bounds_pass(value: float) -> None:
    assert (PUE.complaint(value) is None) == (1.05 <= value <= 1.6)


def test_parameters_start_at_the_defaults() -> None:
    assert dict(Parameters(REGISTRY)) == {"pue": 1.25, "exchange_rate": 1400.0}


def test_settings_go_by_public_name_and_reading_by_handle() -> None:
    parameters = Parameters(REGISTRY, {"won_per_dollar": 1500})
    assert parameters["exchange_rate"] == 1500.0
    assert parameters["pue"] == 1.25
    assert parameters.by_name() == {"pue": 1.25, "won_per_dollar": 1500.0}
    assert parameters.quantity("exchange_rate") is RATE
    assert len(parameters) == 2
    with pytest.raises(KeyError, match="won_per_dollar"):
        parameters["won_per_dollar"]


def test_a_handle_is_no_public_name() -> None:
    with pytest.raises(KeyError, match="exchange_rate"):
        Parameters(REGISTRY, {"exchange_rate": 1500.0})


def test_a_setting_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"won_per_dollar: found 9, allowed 1100 to 1900 KRW/USD"):
        Parameters(REGISTRY, {"won_per_dollar": 9.0})


def test_settings_of_one_run_do_not_reach_another() -> None:
    Parameters(REGISTRY, {"pue": 1.1})
    assert Parameters(REGISTRY)["pue"] == 1.25


def test_the_nearest_name_is_offered_only_where_one_is_near() -> None:
    known = ("gpu_supply_factor", "gpu_price_factor", "pue")
    assert nearest("gpu_suply_factor", known) == "gpu_supply_factor"
    assert nearest("tariff", known) is None
    assert nearest("anything", ()) is None
