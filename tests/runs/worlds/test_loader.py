"""Every class of mistake in a world's files is said once: file, line, key, column, remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from abm.calendar import NEVER
from abm.schema import FORMS
from runs.checking import BadInput
from runs.worlds import available, check, load
from runs.worlds.crosschecks import find_cycle
from runs.worlds.loader import FILES, HOME

TOY = HOME / "toy"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A copy of the toy world that a test may break."""
    return Path(shutil.copytree(TOY, tmp_path / "toy"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Exchange the first ``old``; the test is void where there is none."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(folder: Path, file: str, line: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_toy_is_sound_and_reads_back() -> None:
    assert check("toy") == []
    world = load("toy")
    assert world.name == "toy"
    assert world.calendar.months == 48
    assert set(world.tables) == {form.name for form in FORMS}
    assert world.zones.keys == ("north", "south")
    assert world.zones.capital_region.tolist() == [True, False]
    assert not world.zones.demand_mwh.flags.writeable
    assert world.lines.due[0] == NEVER
    assert world.lines.due[1] == world.calendar.index("2027-06")
    assert world.sites.after[world.sites.row("south-two")] == world.sites.row("south-one")
    assert np.isnan(world.sites.shell_bn[0])
    assert world.technologies.fuel[world.technologies.row("solar")] == -1
    assert world.quantities["lng_price_factor"].high > 1


@pytest.mark.parametrize("name", available())
def test_every_world_that_ships_is_sound(name: str) -> None:
    assert [str(complaint) for complaint in check(name)] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("zones.csv", "demand_mwh", "demand", "which is no column of this table; did you mean 'demand_mwh'?"),
        ("zones.csv", "MWh/year", "GWh/year", "found unit 'GWh/year', expected 'MWh/year'"),
        ("fuel_prices.csv", "KRW/MWh", "USD/MWh", "found unit 'USD/MWh', expected 'KRW/MWh'"),
        ("zones.csv", "8760000", "much", "found 'much', expected a number in MWh/year"),
        ("zones.csv", "8760000", "nan", "found nan, expected a finite number"),
        ("zones.csv", "8760000", "inf", "found inf, expected a finite number"),
        ("zones.csv", "8760000", "", "missing; expected a number in MWh/year"),
        ("zones.csv", "37.5", "137.5", "found 137.5, allowed -90 to 90 degree"),
        ("zones.csv", "North,,1", "North,,yes", "found 'yes', allowed: 0, 1"),
        ("zones.csv", "north,North", "south,North", "key given twice; first on line 3"),
        ("zones.csv", ",invented", ",,invented", "found 11 cells, expected 10"),
        ("pools.csv", "north-city,north", "north-city,nort", "did you mean 'north'?"),
        ("lines.csv", "2027-06", "2027-13", "is not a month; write it as YYYY-MM"),
        ("lines.csv", "planned,2027-06", "planned,", "a planned line has the month of its completion"),
        ("lines.csv", "north-edge,60", ",60", "missing; the line has relief_mw"),
        ("lines.csv", "second,south,north", "second,north,north", "capacity inside one zone carries nothing"),
        ("lines.csv", "existing", "exists", "allowed: existing, planned; did you mean 'existing'?"),
        ("availability.csv", "coal,,1,", "coal,,1.5,", "found 1.5, expected a whole number"),
        ("availability.csv", "coal,,2,", "coal,,1,", "row given twice; first on line 3"),
        ("days/day_weights.csv", "1,day,31", "1,day,30", "days of calendar month 1 sum to 30, expected 31"),
        ("days/days.csv", "1,day,3,north", "1,day,4,north", "has hours 0 to 4 (4 of them) for zone north"),
        ("plants.csv", "2028-01", "1990-01", "retires before it is commissioned"),
        ("technologies.csv", "Coal,coal", "Coal,cole", "did you mean 'coal'?"),
        ("fuels.csv", "coal_price_factor", "coal_price_facto", "did you mean 'coal_price_factor'?"),
        ("fuel_prices.csv", "gas,2024-03", "gas,2023-03", "fuel gas needs twelve months in a row"),
        ("sites.csv", "2027-03", "2025-01", "expected before it was announced"),
        ("sites.csv", "2021-01,2023-06", "2021-01,2025-06", "is operating, so it opened by 2025-01"),
        ("sites.csv", "2025-03,2027-03", "2031-03,2031-04", "announced after the run ends (2028-12)"),
        ("sites.csv", "south,south-coast", "south,north-city", "pool north-city lies in zone north"),
        ("sites.csv", "south-two,campus", "south-two,other", "belongs to programme 'campus'"),
        ("stock.csv", "north-one", "north-two", "is not operating at the start"),
        ("edges.csv", "0.8", "1.1", "found 1.1, allowed 0 to 1 share"),
        ("resources.csv", "south,solar,2000,0.7", "south,solar,2000,0.8", "sum to 1.1, expected 1"),
        ("goals.csv", "gpus_online", "gpu_online", "did you mean 'gpus_online'?"),
        ("goals.csv", "2028-12", "2030-12", "lies outside the run, 2025-01 to 2028-12"),
        ("countries.csv", "home,1", "home,0", "found 0 home countries, expected 1"),
        (
            "parameters.csv",
            "ratio,1,0.5,3,triangular",
            "ratio,9,0.5,3,triangular",
            "allowed 0.5 to 3 (low <= default <= high)",
        ),
        ("parameters.csv", "triangular", "normal", "allowed: uniform, triangular, loguniform, fixed"),
        ("parameters.csv", "coal_price_factor,,", "coal_price_factor,lng_price_factor,", "is taken on line "),
        ("parameters.csv", ",1,", ",one,", "found 'one', expected a number in ratio"),
        ("world.toml", 'finance = "government"', 'finance = "goverment"', "did you mean 'government'?"),
        ("world.toml", "title =", "titel =", "did you mean 'title'?"),
        ("world.toml", "2028-12", "2023-12", "the run ends (2023-12) before it starts (2025-01)"),
        ("world.toml", "[roles]", "[roles", "not TOML"),
    ],
)
def test_each_mistake_is_said(toy: Path, file: str, old: str, new: str, said: str) -> None:
    edit(toy, file, old, new)
    found = [str(complaint) for complaint in check(toy)]
    assert any(said in text for text in found), found
    with pytest.raises(BadInput, match=r".") as caught:
        load(toy)
    assert [str(complaint) for complaint in caught.value.complaints] == found


def test_complaint_carries_line_key_and_column(toy: Path) -> None:
    edit(toy, "pools.csv", "#-", "#-")
    text = (toy / "pools.csv").read_text(encoding="utf-8").splitlines()
    text.insert(2, "# a comment moves the lines that follow")
    (toy / "pools.csv").write_text("\n".join(text).replace("south-coast,south,150", "south-coast,south,-1"))
    [complaint] = check(toy)
    assert complaint.file == "pools.csv"
    assert complaint.line == line_of(toy, "pools.csv", "south-coast")
    assert complaint.key == "south-coast"
    assert complaint.column == "headroom_mw"


def test_one_slip_gives_one_complaint_and_many_give_many(toy: Path) -> None:
    edit(toy, "pools.csv", "north-city,north", "north-city,nort")
    assert len(check(toy)) == 1
    edit(toy, "stores.csv", "2006-01", "sometime")
    edit(toy, "parameters.csv", "uncertainty", "doubt")
    assert len(check(toy)) == 3


def test_missing_file_and_missing_column(toy: Path) -> None:
    (toy / "elections.csv").unlink()
    lines = (toy / "stores.csv").read_text(encoding="utf-8").splitlines()
    (toy / "stores.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines), encoding="utf-8")
    found = [str(complaint) for complaint in check(toy)]
    assert any("elections.csv: elections.csv: missing" in text for text in found)
    assert any("header, column zone: missing column" in text for text in found)


def test_units_row_is_asked_for(toy: Path) -> None:
    lines = (toy / "elections.csv").read_text(encoding="utf-8").splitlines()
    (toy / "elections.csv").write_text("\n".join([lines[0], *lines[2:]]), encoding="utf-8")
    assert "line 2 must give the units" in str(check(toy)[0])


def test_bytes_that_are_no_text(toy: Path) -> None:
    (toy / "fuels.csv").write_bytes(b"fuel\xff\n")
    assert any("not UTF-8" in str(complaint) for complaint in check(toy))


def test_recipes_that_need_each_other_at_once(toy: Path) -> None:
    append(toy, "recipes.csv", "power,compute,1,0,invented,assumption,")
    assert "compute -> power -> compute" in str(check(toy)[0])
    edit(toy, "recipes.csv", "power,compute,1,0", "power,compute,1,1")
    assert check(toy) == []


def test_phases_that_wait_for_each_other(toy: Path) -> None:
    edit(toy, "sites.csv", "announced,,0.4,0.2,", "announced,south-two,0.4,0.2,")
    assert "south-one -> south-two -> south-one" in str(check(toy)[0])


def test_contract_shares_of_a_buyer(toy: Path) -> None:
    append(toy, "edges.csv", "government,platform,gpu,,1,0.3,invented,assumption,")
    assert "contract shares of platform/gpu sum to 1.1, expected at most 1" in str(check(toy)[0])


def test_traits(toy: Path) -> None:
    append(toy, "traits.csv", "fund,hurdle,0.2,ratio,0.05,0.15,invented,assumption,")
    assert "low <= value <= high" in str(check(toy)[0])


def test_day_without_weight_and_weight_without_day(toy: Path) -> None:
    edit(toy, "days/day_weights.csv", "3,day,31", "3,night,31")
    found = [str(complaint) for complaint in check(toy)]
    assert any("no hours of this day" in text for text in found)
    assert any("'day' of calendar month 3 has no row" in text for text in found)


def test_goal_about_one_stakeholder(toy: Path) -> None:
    append(toy, "indicators.csv", "owned,gpus,*,GPU,last,accelerators by owner,")
    edit(toy, "goals.csv", "gpus_online", "owned.platform")
    assert check(toy) == []
    edit(toy, "goals.csv", "owned.platform", "owned.platfrom")
    assert "did you mean 'platform'?" in str(check(toy)[0])


def test_unknown_world_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'toy'"):
        load("tou")
    assert "did you mean 'toy'" in str(check("tou")[0])


def test_folder_without_settings(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"world\.toml: missing"):
        load(tmp_path)


def test_hash_sees_bytes_and_nothing_else(toy: Path) -> None:
    first = load(toy).hash
    assert first == load("toy").hash
    (toy / "NOTICE.md").write_text("not part of the world", encoding="utf-8")
    assert load(toy).hash == first
    append(toy, "zones.csv", "# a comment")
    assert load(toy).hash != first


def test_hash_covers_every_table() -> None:
    assert len(FILES) == len(FORMS) + 2


def test_world_is_read_once_until_its_bytes_change(toy: Path) -> None:
    world = load(toy)
    assert load(toy) is world
    edit(toy, "zones.csv", "8760000", "8760001")
    assert load(toy).zones.demand_mwh[0] == 8760001


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        ({}, []),
        ({"a": ["b"], "b": []}, []),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["b", "c"]),
        ({"a": ["a"]}, ["a"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
    ],
)
def test_find_cycle(graph: dict[str, list[str]], cycle: list[str]) -> None:
    assert find_cycle(graph) == cycle


def test_the_loader_is_light() -> None:
    heavy = "{'networkx', 'mesa', 'polars', 'pandas', 'numba', 'scipy'}"
    code = f"import sys, runs.worlds; sys.exit(bool({heavy} & set(sys.modules)))"
    root = HOME.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
