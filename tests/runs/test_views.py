"""What is shown of a run: charts, tables, words, numbers. Pure, so everything is checked without a browser."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from runs.app.pool import Question
from runs.app.runs import view_of
from runs.app.worker import compute
from runs.views import data, decade, gains, months, why
from runs.views.charts import Chart
from runs.views.ensembles import Difference, Fan, difference_chart, fan_chart, quantiles
from runs.views.numbers import amount, digits, scale, short
from runs.views.outlines import geojson
from runs.views.runview import RunView
from runs.views.texts import texts
from runs.views.theme import PALETTE, SERIES, css, themed
from runs.views.words import SPOKEN, WORTH_SAYING, differences, figure_differences, site_differences

EN, KO = texts("en"), texts("ko")


def run(package: str = "as-announced", **settings: float) -> RunView:
    question = Question("korea", "baseline", package, 7, tuple(sorted(settings.items())))
    return view_of(question, compute(question, lambda: False))


@pytest.fixture(scope="module")
def base() -> RunView:
    return run()


@pytest.fixture(scope="module")
def late() -> RunView:
    return run(line_delay_months=24.0, permit_delay_months=18.0)


def charts(view: RunView, other: RunView | None) -> list[Chart]:
    found = [build(view, EN, other) for _, build in decade.CHARTS]
    found.append(decade.slips(view, EN))
    if other is not None:
        found.append(gains.winners(view, EN, other, "the other"))
    return found


def test_every_chart_is_plain_finite_data_with_a_table_and_a_sentence(base, late):
    for chart in charts(late, base):
        text = json.dumps(chart.option, allow_nan=False)  # plain data, and neither NaN nor infinity in it
        assert chart.option["series"], chart.key
        assert len(chart.summary) > 20, chart.key
        assert chart.table.rows, chart.key
        assert all(len(row) == len(chart.table.head) for row in chart.table.rows), chart.key
        names = {part for part in text.split('"') if part.startswith("@")}
        assert names <= {f"@{name}" for name in PALETTE["light"]}, chart.key


def test_a_line_of_a_chart_is_the_indicator_in_the_unit_of_the_axis(base):
    chart = decade.accelerators(base, EN)
    line = next(one for one in chart.option["series"] if one["name"] == EN("chart.online"))
    assert chart.unit == "k GPUs"
    assert line["data"] == pytest.approx(base.values("gpus_online") / 1000.0, rel=1e-3)


def test_the_pinned_run_stands_behind_each_line(base, late):
    alone, both = decade.sites(late, EN), decade.sites(late, EN, base)
    names = [one["name"] for one in both.option["series"]]
    assert len(both.option["series"]) > len(alone.option["series"])
    pinned = next(
        one for one in both.option["series"] if one["name"] == f"{EN('short.ai_sites_mw')} (pinned)"
    )
    assert pinned["data"] == pytest.approx(base.values("ai_sites_mw"), rel=1e-3)
    assert EN("pinned") in both.option["legend"]["data"]
    assert f"{EN('short.ai_sites_mw')} (pinned)" in names
    assert any("pinned" in head for head in both.table.head)


def test_announced_accelerators_never_fall_and_start_with_what_is_there(base):
    plan = decade.plan_of(base)
    assert plan == sorted(plan)
    announced = sum(
        s["gpus_planned"]
        for s in base.sites
        if s["kind"] == "ai"
        and not s["originated"]
        and s["expected"] > "2025-01"
        and s["expected"] <= "2035-12"
    )
    assert plan[-1] == pytest.approx(base.values("gpus_online")[0] + announced, rel=1e-9)


def test_stacked_zones_add_up_to_the_load_of_all_ai_sites(base):
    chart = decade.power_by_zone(base, EN)
    members = base.family("ai_load_mw")
    drawn = np.sum([one["data"] for one in chart.option["series"]], axis=0)
    whole = np.sum([base.values(name) for name in members.values()], axis=0)
    assert drawn == pytest.approx(whole, rel=2e-3)


def test_the_same_run_differs_in_no_word(base):
    again = replace(base)
    assert differences(base, again, EN) == []
    assert gains.gains(base, again) == []


def test_words_say_the_direction_and_the_size_of_what_the_figures_say(base, late):
    said = {one.about: one for one in figure_differences(late, base, EN)}
    for name, one in said.items():
        years = [2030, 2035]
        sizes = {y: (late.yearly(name)[y] or 0.0) - (base.yearly(name)[y] or 0.0) for y in years}
        year = next(y for y in years if f" {y}" in one.text)
        way = "more" if sizes[year] > 0 else "less"
        unit = late.about(name).unit
        shown = (
            f"{100 * abs(sizes[year]):.1f}".rstrip("0").rstrip(".")
            if unit == "share"
            else amount(abs(sizes[year]), unit, EN)
        )
        assert shown in one.text, name
        start = EN(f"said.{name}.{way}").split("{", 1)[0]
        assert one.text.startswith(start), name
    assert "ai_sites_mw" in said


def test_small_differences_are_left_unsaid(base):
    values = base.record.recorder.values.copy()
    column = base.record.recorder.column["gpus_online"]
    values[:, column] *= 1.0 + WORTH_SAYING / 2
    recorder = object.__new__(type(base.record.recorder))
    recorder.__dict__.update({**base.record.recorder.__dict__, "values": values})
    near = replace(base, record=replace(base.record, recorder=recorder))
    assert figure_differences(near, base, EN) == []


def test_sites_that_open_later_are_said_with_their_months(base, late):
    from abm.calendar import parse_month

    said = {one.about: one for one in site_differences(late, base, EN)}
    assert said, "two years of delay move no site"
    checked = 0
    for site, one in said.items():
        now, before = late.site_of[site]["energised"], base.site_of[site]["energised"]
        if now and before:
            months_later = parse_month(now) - parse_month(before)
            assert (one.better < 0) == (months_later > 0)
            if abs(months_later) > 1:
                assert f"{abs(months_later)} months {'later' if months_later > 0 else 'earlier'}" in one.text
                checked += 1
    assert checked


def test_all_that_can_be_said_has_words_in_both_languages():
    for name in SPOKEN:
        for t in (EN, KO):
            for way in ("more", "less"):
                text = t(f"said.{name}.{way}", difference="D", year=2030, now="N", before="B")
                assert all(part in text for part in ("D", "2030", "N", "B")), (t.language, name, way)


def test_tiles_say_the_figure_of_the_year_and_its_change(base, late):
    tiles = {tile.name: tile for tile in decade.tiles(late, EN, base, 2030)}
    gpus = late.yearly("gpus_online")[2030]
    assert tiles["gpus_online"].value == amount(gpus, "GPU", EN)
    assert tiles["gpus_online"].better == (1 if gpus > base.yearly("gpus_online")[2030] else -1)
    same = {tile.name: tile for tile in decade.tiles(base, EN, base, 2030)}
    assert all(tile.change == EN("tile.same") for tile in same.values())


def test_gains_follow_each_stakeholders_own_score(base, late):
    found = gains.gains(late, base)
    assert found
    for gain in found:
        name = f"stakeholder_score.{gain.who}"
        assert (late.final(name) > base.final(name)) == (gain.relative > 0)
        assert abs(gain.relative) <= 2.0
    assert [gain.relative for gain in found] == sorted((gain.relative for gain in found), reverse=True)


def test_csv_of_a_chart_holds_the_run_to_the_last_bit_and_describes_its_columns(base):
    names = ("gpus_online", "kepco_debt_krw")
    text = data.csv_of(base, names, "madang run baseline")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert any(base.run_id in line for line in comments)
    assert any("madang run baseline" in line for line in comments)
    for name in names:
        assert any(line.startswith(f"# {name}: ") and base.about(name).about in line for line in comments)
    rows = list(
        csv.DictReader(io.StringIO("\n".join(line for line in text.splitlines() if not line.startswith("#"))))
    )
    assert [row["month"] for row in rows] == list(base.months)
    for name in names:
        assert [float(row[name]) for row in rows] == base.values(name).tolist()


def test_supply_flows_of_a_month_are_those_of_the_run(base):
    graph = months.supply(base, EN)
    month = 60
    flat = graph["months"][month]
    total: dict[str, float] = {}
    for at in range(0, len(flat), 3):
        good = graph["links"][flat[at]]["good"]
        total[good] = total.get(good, 0.0) + flat[at + 2]
        assert 0 < flat[at + 1] <= months.WIDEST + 0.7
    from abm.supply import SupplyGraph

    supply = SupplyGraph(base.world, 1)
    for number, good in enumerate(base.world.goods.keys):
        moved = float(base.flows[month, supply.good == number].sum())
        assert total.get(good, 0.0) == pytest.approx(moved, rel=5e-3, abs=1e-9)


def test_downloads_of_the_months_hold_what_the_run_holds(base):
    def rows(text: str) -> list[dict[str, str]]:
        return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))

    flows = rows(months.flows_csv(base, ["x"]))
    assert len(flows) == int((base.flows != 0).sum())
    assert sum(float(row["amount"]) for row in flows) == pytest.approx(
        float(base.flows.astype(float).sum()), rel=1e-6
    )
    carried = rows(months.map_csv(base, ["x"]))
    line = base.world.lines.keys[0]
    assert [float(row[line]) for row in carried] == base.carried[:, 0].astype(float).tolist()
    log = rows(months.log_csv(base, ["x"]))
    assert [(row["who"], row["verb"], float(row["granted"])) for row in log] == [
        (one.who, one.verb, one.granted) for one in base.decisions
    ]


def test_the_map_puts_every_site_near_its_zone_and_carries_what_lines_carry(base):
    drawn = months.zone_map(base, EN)
    world = base.world
    for site in drawn["sites"]:
        row = world.zones.row(site["zone"])
        assert abs(site["at"][0] - float(world.zones.longitude[row])) < 1.0
        assert abs(site["at"][1] - float(world.zones.latitude[row])) < 1.0
    carried = np.abs(np.array(drawn["carried"]))
    limits = np.array(drawn["limits"])
    assert carried.max() > 100
    assert (carried <= np.maximum(limits, np.array(drawn["limits"]).max(axis=1, keepdims=True)) + 1).all()
    names = {feature["properties"]["name"] for feature in geojson(world)["features"]}
    assert names == set(world.zones.keys)


def test_the_log_has_every_decision_in_words_that_the_catalogue_knows(base):
    log = months.log(base, EN)
    assert len(log["rows"]) == len(base.decisions)
    for decision in base.decisions:
        assert EN.has(f"verb.{decision.verb}"), decision.verb
        assert KO.has(f"verb.{decision.verb}"), decision.verb
    json.dumps(log, allow_nan=False)


def test_a_site_answers_with_its_path_and_every_decision_about_it(base):
    slip = decade.slips_of(base.record)[0]
    head, text = why.site_sentence(base, slip.site, EN)
    assert slip.site in head
    assert slip.expected in text
    steps = why.site_steps(base, slip.site, EN)
    assert [row[1] for row in steps.rows if row[1] != "–"] == sorted(
        row[1] for row in steps.rows if row[1] != "–"
    )
    table = why.decisions_table(base, base.decisions_about(slip.site), EN)
    assert len(table.rows) == sum(one.subject == slip.site for one in base.decisions)


def test_everything_can_be_asked_for_by_key_by_name_and_by_a_part_of_it(base):
    known = why.subjects(base, EN)
    assert why.find("kepco", known).kind == why.STAKEHOLDER
    assert why.find("Korea Electric Power Corporation", known).key == "kepco"
    assert why.find("ulsan", known).kind == why.SITE
    assert why.find("Accelerators online", known).key == "gpus_online"
    assert isinstance(why.find("Ulsann 1x", known), str)
    assert why.find("   ", known) is None


def test_rules_are_those_of_the_source(base):
    from agents import cast

    for who in base.world.cast.keys:
        text, name = why.rule_of(base, who)
        assert name == cast.KINDS[base.world.cast.kind[base.world.cast.row(who)]].__name__
        assert len(text) > 20, who
        assert "``" not in text


def test_bands_hold_the_middle_of_the_runs():
    values = np.tile(np.arange(101.0), (3, 1))
    values[2] = np.nan
    low, middle, high = quantiles(values)
    assert (low[0], middle[0], high[0]) == pytest.approx((10.0, 50.0, 90.0))
    assert np.isnan(middle[2])
    fan = fan_chart(
        "x", "X", "MW", ["2025-10", "2025-11", "2025-12"], [Fan("a", values), Fan("b", values + 1)], EN
    )
    json.dumps(fan.option, allow_nan=False)
    assert fan.option["legend"]["data"] == ["a", "b"]


def test_an_interval_that_leaves_out_nought_is_called_clear():
    sure = Difference("gpus_online", "GPU", 20, 100.0, 110.0, 10.0, 5.0, 15.0)
    unsure = replace(sure, low=-5.0)
    unknown = replace(sure, low=math.nan, high=math.nan)
    assert (sure.clear, unsure.clear, unknown.clear) == (True, False, False)
    chart = difference_chart([sure, unsure], {"gpus_online": "X"}, "T", EN)
    colours = [one["itemStyle"]["color"] for one in chart.option["series"][0]["data"]]
    assert colours == ["@grey", "@blue"]
    json.dumps(difference_chart([unknown], {"gpus_online": "X"}, "T", EN).option, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "unit", "english", "korean"),
    [
        (3.2e12, "KRW", "3.2 tn won", "3.2 조 원"),
        (250_000.0, "GPU", "250 k GPUs", "25 만 장"),
        (0.123, "share", "12.3 %", "12.3 %"),
        (145_000.0, "KRW/MWh", "145 won/kWh", "145 원/kWh"),
        (1_160.0, "MW", "1,160 MW", "1,160 MW"),
        (-42.0, "MW", "−42 MW", "−42 MW"),
        (None, "MW", "–", "–"),
        (math.nan, "GPU", "–", "–"),
    ],
)
def test_numbers_are_said_in_the_steps_of_their_language(value, unit, english, korean):
    assert amount(value, unit, EN) == english
    assert amount(value, unit, KO) == korean


def test_digits_scale_and_short_lose_no_more_than_they_say():
    assert digits(0.0) == "0"
    assert digits(-1234.6) == "−1,235"
    assert scale([5e12], "KRW", EN) == (1e12, "tn won")
    assert short([1.23456, math.nan, math.inf], 1.0) == [1.235, None, None]


def test_the_palette_is_whole_and_readable_in_light_and_dark():
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert PALETTE["light"].keys() == PALETTE["dark"].keys()
    for variant, colours in PALETTE.items():
        for name in ("ink", "quiet", "accent", "good", "bad"):
            for ground in ("card", "paper", "wash"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (variant, name, ground)
        for name in SERIES:
            assert contrast(colours[name[1:]], colours["card"]) >= 3.0, (variant, name)
    assert themed({"a": ["@blue", "x"]}, "dark") == {"a": [PALETTE["dark"]["blue"], "x"]}
    assert ".theme--dark" in css()
