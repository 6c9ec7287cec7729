"""The catalogue of levers: what ships, and what a broken file is told."""

from __future__ import annotations

import dataclasses

import pytest

from abm.board import Board, LeverLike
from abm.quantities import CONFIDENCE
from policies import Lever, catalogue
from policies.catalogue import COLUMNS, BadCatalogue, read_levers
from policies.lever import ROLES

STABLE = {
    "state_gpu_purchases",
    "gpu_subsidy",
    "startup_voucher_share",
    "npu_preference",
    "domestic_hbm_reserve",
    "renewable_auction_gw",
    "storage_auction_gw",
    "direct_purchase_openness",
    "grid_fast_track",
    "grid_investment",
    "nuclear_extension_gw",
    "carbon_price",
    "tariff_adjustment",
    "regional_siting_incentive",
    "special_zone_gw",
    "tax_credit",
    "guarantee_share",
    "growth_fund_krw",
    "data_openness",
    "talent_programme",
    "foreign_capital_openness",
    "coal_retirement_gw",
    "regional_pricing",
    "nonfirm_connection",
    "queue_deposit",
}

HEADER = ",".join(COLUMNS)
ROW = "tax,,share,0,0,1,finance,12,0,none,Moves it.,a law,high"


def test_every_stable_name_is_there() -> None:
    assert set(catalogue()) >= STABLE


@pytest.mark.parametrize("lever", catalogue().values(), ids=lambda lever: lever.name)
def test_every_lever_says_what_design_asks_for(lever: Lever) -> None:
    assert lever.low <= lever.default <= lever.high
    assert lever.low < lever.high
    assert lever.owner in ROLES
    assert lever.confidence in CONFIDENCE
    assert lever.lead_months >= 1
    assert lever.cost >= 0
    for text in (lever.unit, lever.cost_note, lever.moves, lever.source):
        assert text.strip()
    assert lever.moves.endswith(".")
    assert "krw" not in lever.handle, "the model reads levers by names that know no country"
    assert "KRW" not in lever.unit


def test_the_board_takes_the_catalogue() -> None:
    levers: list[LeverLike] = list(catalogue().values())
    board = Board(levers, {}, (), 12)
    assert board.value("growth_fund", 0) == 0
    assert board.value("grid_investment", 11) == 1


def test_levers_are_frozen_and_the_catalogue_is_a_copy() -> None:
    levers = catalogue()
    with pytest.raises(dataclasses.FrozenInstanceError):
        levers["tax_credit"].low = 1  # type: ignore[misc]
    levers.clear()
    assert catalogue()


def test_a_row_is_read_with_its_handle_defaulting_to_its_name() -> None:
    levers = read_levers(f"{HEADER}\n{ROW}\n", "f.csv")
    assert levers["tax"].handle == "tax"
    assert levers["tax"].lead_months == 12


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("high", "sure", "column confidence: found 'sure'"),
        ("finance", "treasury", "column owner: found 'treasury'"),
        (",0,0,1,", ",2,0,1,", "column default: lies outside"),
        (",0,0,1,", ",1,1,1,", "one possible value"),
        (",12,", ",-1,", "column lead_months"),
        (",0,0,1,", ",0,0,inf,", "column high: found 'inf'"),
        (",0,0,1,", ",0,zero,1,", "column low: found 'zero'"),
        ("Moves it.", "", "column moves: missing"),
        ("a law", "a law, of course", "expected 13 cells"),
    ],
)
def test_a_broken_row_names_file_line_and_column(old: str, new: str, says: str) -> None:
    with pytest.raises(BadCatalogue) as caught:
        read_levers(f"{HEADER}\n{ROW.replace('tax', 'other', 1)}\n{ROW.replace(old, new, 1)}\n", "f.csv")
    assert str(caught.value).startswith("f.csv:3: tax, ")
    assert says in str(caught.value)


def test_names_and_handles_are_taken_once_and_all_is_said_at_once() -> None:
    clash = ROW.replace("tax,,", "fee,tax,")
    with pytest.raises(BadCatalogue) as caught:
        read_levers(f"{HEADER}\n{ROW}\n{ROW}\n{clash}\n", "f.csv")
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        "f.csv:3",
        "f.csv:3",
        "f.csv:4",
    ]


def test_the_header_is_checked() -> None:
    with pytest.raises(BadCatalogue, match=r"f\.csv:1: header"):
        read_levers("name,unit\n", "f.csv")
