"""The app in Chromium: every page, as a person uses it. Left out, with the reason, where there is no Chromium."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs.app.knobs import knobs_of
from tests.runs.app import browser
from tests.runs.app.browser import REQUIRED, Server, chromium, missing, run_id, serving, settled, watched
from tests.runs.app.slow import wait_until

PAGES = ("/", "/months", "/why", "/ensembles", "/assumptions")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if why := missing():
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(f"{REQUIRED}=required, but {why}")
        pytest.skip(why)
    with serving(tmp_path_factory.mktemp("results"), "--max-runs", "12") as found:
        yield found


@pytest.fixture(scope="module")
def engine(server: Server) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium(), args=list(browser.FLAGS))
        yield found
        found.close()


@pytest.fixture
def page(server: Server, engine: Any) -> Iterator[Any]:
    """A fresh user; at the end nothing has left the machine, and nothing was complained of."""
    context = engine.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    found = context.new_page()
    seen = watched(found, server.url)
    yield found
    context.close()
    assert seen.outside == []
    assert seen.errors == []


def opened(page: Any, server: Server, path: str = "/") -> Any:
    page.goto(server.url + path)
    settled(page)
    return page


def value(page: Any, knob: str) -> float:
    return float(page.input_value(f"input[data-knob={knob}]"))


def says(page: Any, words: str) -> None:
    """The differences say ``words``, now or as soon as the last answer is drawn."""
    page.wait_for_function(f"() => document.querySelector('[data-words]').textContent.includes({words!r})")


def press(page: Any, knob: str, key: str, times: int = 1) -> None:
    page.focus(f"input[data-knob={knob}]")
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_with_its_heading(page, server, path):
    opened(page, server, path)
    assert page.locator("h1").count() == 1
    assert page.locator("[aria-current=page]").count() == 1
    assert page.title() == "madang"


@pytest.mark.long
def test_the_decade_is_there_with_charts_figures_and_tables(page, server):
    opened(page, server)
    page.wait_for_selector("[data-chart=accelerators] [data-drawn]")
    assert page.locator("[data-chart]").count() >= 14
    assert page.locator("[data-tile]").count() >= 5
    page.click("[data-chart=accelerators] button[aria-pressed]")
    rows = page.locator("[data-chart=accelerators] tbody tr")
    assert rows.count() == 11
    assert rows.first.locator("th").inner_text() == "2025"


def test_dragging_a_slider_redraws_the_charts_and_says_what_differs(page, server):
    opened(page, server)
    first = run_id(page)
    slider = page.locator("input[data-knob=coal_retirement_gw]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.6, y)
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * (0.6 + 0.035 * step), y)
        page.wait_for_timeout(40)
    page.wait_for_function("() => window.madang.drawn.some(one => one.stamp > 0)")  # while it is held
    assert slider.bounding_box() == box, "the slider stays where the hand has it"
    page.mouse.up()
    settled(page)
    assert run_id(page) != first
    assert "emits" in page.inner_text("[data-words]")
    last = page.evaluate("() => Math.max(...window.madang.moves.keys())")
    page.wait_for_function(f"() => window.madang.drawn.some(one => one.stamp === {last})")
    page.click("[data-act=undo]")
    settled(page)
    page.wait_for_function(f"() => document.querySelector('[data-status]').textContent.includes('{first}')")
    says(page, "Nothing differs")
    page.click("[data-act=redo]")
    page.wait_for_function(f"() => !document.querySelector('[data-status]').textContent.includes('{first}')")


@pytest.mark.long
def test_resting_on_a_slider_tells_the_server_what_a_press_there_will_ask_for(page, server):
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    opened(page, server)
    name = "coal_retirement_gw"
    slider = page.locator(f"input[data-knob={name}]")
    slider.scroll_into_view_if_needed()
    for share in (0.07, 0.48, 0.83):
        box = slider.bounding_box()
        sent.clear()
        at = box["x"] + share * box["width"], box["y"] + box["height"] / 2
        page.mouse.move(*at)
        page.wait_for_timeout(300)
        [told] = re.findall(r'"point".*?"value": ?([-+.e0-9]+)', "\n".join(sent))
        page.mouse.click(*at)
        assert knobs_of("korea").of[name].nearest(float(told)) == value(page, name)
        page.wait_for_selector(f".changed input[data-knob={name}]")
        last = page.evaluate("() => Math.max(...window.madang.moves.keys())")
        page.wait_for_function(f"() => window.madang.drawn.some(one => one.stamp === {last})")


@pytest.mark.long
def test_the_keyboard_alone_moves_undoes_and_reaches_every_control(page, server):
    opened(page, server)
    before = value(page, "grid_fast_track")
    press(page, "grid_fast_track", "ArrowRight", 3)
    page.wait_for_function("() => location.search.includes('grid_fast_track')")
    assert value(page, "grid_fast_track") > before
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function("() => !location.search.includes('grid_fast_track')")
    opened(page, server)  # a fresh page: the first Tab reaches what comes first
    page.keyboard.press("Tab")
    assert "md-skip" in page.evaluate("() => document.activeElement.className")
    names = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "() => { const e = document.activeElement; const of = (key) => e.getAttribute('data-' + key);"
            " return [of('knob') || of('act') || e.tagName, getComputedStyle(e).outlineStyle]; }"
        )
        names.add(name)
        assert outline != "none", name
    assert {"scenario", "package", "seed", "search", "reset", "history", "take"} <= names


def test_a_link_restores_the_page_in_another_browser(page, server, engine):
    opened(
        page,
        server,
        "/?package=grid-first&set=line_delay_months=24.0&pin=scenario%3Dbaseline%26package%3Dno-policy%26seed%3D7",
    )
    before = run_id(page)
    page.focus("input[data-knob=renewable_auction_gw]")
    page.keyboard.press("End")
    page.wait_for_function("() => location.search.includes('renewable_auction_gw')")
    while (there := run_id(page)) == before:  # the address changes before the decade is computed
        page.wait_for_timeout(50)
    settled(page)
    words = page.inner_text("[data-words]")
    other = engine.new_context().new_page()
    try:
        other.goto(page.url)
        settled(other)
        assert run_id(other) == there
        other.wait_for_function("() => document.querySelectorAll('[data-words] li').length > 0")
        assert other.inner_text("[data-words]") == words
        assert value(other, "renewable_auction_gw") == value(page, "renewable_auction_gw")
    finally:
        other.context.close()


def test_two_users_stand_apart(page, server, engine):
    opened(page, server)
    mine = run_id(page)
    other = engine.new_context().new_page()
    try:
        other.goto(server.url)
        settled(other)
        press(other, "storage_auction_gw", "End")
        other.wait_for_function("() => location.search.includes('storage_auction_gw')")
        settled(other)
        page.wait_for_timeout(500)
        assert run_id(page) == mine
        assert "storage_auction_gw" not in page.url
        assert run_id(other) != mine
    finally:
        other.context.close()


@pytest.mark.long
def test_the_exported_command_gives_the_figures_of_the_page(page, server, capsys):
    from runs.cli_run import run_command

    opened(
        page, server, "/?scenario=grid-delay&package=adaptive&seed=3&set=pue=1.1&set=renewable_auction_gw=7.3"
    )
    page.click("[data-act=take]")
    command = shlex.split(page.inner_text("[data-take=command]"))
    with page.expect_download() as waiting:
        page.click("[data-save=data]")
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    settings = [command[at + 1] for at, part in enumerate(command) if part == "--set"]
    out = server.results / "command"
    option = {name: command[command.index(name) + 1] for name in ("--package", "--seed")}
    assert (
        run_command(
            command[2], option["--package"], int(option["--seed"]), settings, "korea", out, True, True
        )
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert answer["run_id"] == run_id(page)
    rows = list(
        csv.DictReader(
            io.StringIO("".join(line for line in text.splitlines(True) if not line.startswith("#")))
        )
    )
    checked = 0
    for name, found in answer["indicators"].items():
        december = {row["month"][:4]: row[name] for row in rows if row["month"].endswith("-12")}
        if name in ("gpus_online", "kepco_debt_krw", "ai_sites_mw", "startups_alive"):
            assert {year: float(text) for year, text in december.items()} == found["yearly"], name
            checked += 1
    assert checked == 4
    files = page.inner_text("[data-take=scenario]"), page.inner_text("[data-take=package]")
    from runs.assemble import prepare

    for name, content in zip(("s", "p"), files, strict=True):
        (server.results / f"{name}.toml").write_text(content, encoding="utf-8")
    again = prepare("korea", str(server.results / "s.toml"), str(server.results / "p.toml"), {}, 3)
    assert again.run_id() == answer["run_id"]


@pytest.mark.long
def test_pictures_and_data_of_a_chart_are_files(page, server):
    opened(page, server)
    page.wait_for_selector("[data-chart=accelerators] [data-drawn]")
    with page.expect_download() as picture:
        page.click("[data-chart=accelerators] button:has-text('PNG')")
    content = Path(picture.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000
    with page.expect_download() as data:
        page.click("[data-chart=accelerators] button:has-text('CSV')")
    text = Path(data.value.path()).read_text(encoding="utf-8")
    assert run_id(page) in text
    assert "# gpus_online: " in text


@pytest.mark.long
def test_history_goes_back_and_compares(page, server):
    opened(page, server)
    press(page, "grid_investment", "ArrowRight")
    settled(page)
    page.click("[data-act=history]")
    page.wait_for_selector(".md-sheet")
    assert page.locator(".md-history li").count() == 2
    page.keyboard.press("Escape")
    page.wait_for_selector(".md-sheet", state="detached")
    page.click("[data-act=pin]")
    page.wait_for_function("() => location.search.includes('pin=')")
    says(page, "Nothing differs")


@pytest.mark.long
def test_months_play_step_and_answer_to_the_keyboard(page, server):
    opened(page, server, "/months?month=24")
    page.wait_for_selector("[data-chart=map] [data-drawn='24']")
    assert page.inner_text("[data-month]") == "2027-01"
    page.click("[data-step='1']")
    assert page.inner_text("[data-month]") == "2027-02"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("[data-month]") == "2027-03"
    page.wait_for_selector("[data-chart=flows] [data-drawn='26']")
    assert "2027-03" in page.inner_text("[data-log]")
    page.click("[data-play]")
    page.wait_for_timeout(2500)
    page.click("[data-play]")
    month = page.inner_text("[data-month]")
    assert month > "2028-06"  # two seconds and a half at ten months a second, less what a busy machine takes
    page.wait_for_function("() => /month=[0-9]+/.test(location.search)")
    page.click("[data-chart=map] button[aria-pressed]")
    assert page.locator("[data-chart=map] tbody tr").count() >= 12


@pytest.mark.long
def test_why_follows_a_figure_and_a_site_to_their_decisions(page, server):
    opened(page, server)
    page.click("[data-tile=kepco_debt_krw] button")
    page.wait_for_url("**/why*")
    page.wait_for_selector("[data-chart=figure]")
    assert "KEPCO" in page.inner_text("main")
    page.fill("[data-knob=ask]", "Ulsan 1")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-table=steps]")
    assert "On the grid" in page.inner_text("[data-table=steps]")
    page.fill("[data-knob=ask]", "Ulsam 1")
    page.keyboard.press("Enter")
    page.wait_for_selector("main [role=alert]")
    assert "Did you mean Ulsan 1" in page.inner_text("main [role=alert]")


@pytest.mark.long
def test_why_takes_each_change_back(page, server):
    opened(page, server, "/why?set=permit_delay_months=18.0&set=line_delay_months=24.0&ask=ai_sites_mw")
    page.click("[data-prose-act]")
    page.wait_for_function(
        "() => { const t = document.querySelector('[data-table=parts]'); return t && !t.textContent.includes('…'); }",
        timeout=60_000,
    )
    assert page.locator("[data-table=parts] tbody tr").count() == 2


@pytest.mark.long
def test_assumptions_are_found_and_changed(page, server):
    opened(page, server, "/assumptions")
    page.fill("[data-knob=assume]", "power usage")
    page.wait_for_function("() => document.querySelectorAll('[data-assumption]').length === 1")
    page.fill("[data-set=pue]", "9")
    page.keyboard.press("Tab")
    page.wait_for_selector("[data-assumption=pue] [role=alert]")
    assert "pue" not in page.url
    page.fill("[data-set=pue]", "1.4")
    page.keyboard.press("Tab")
    page.wait_for_function("() => location.search.includes('pue=1.4')")


@pytest.mark.long
def test_an_ensemble_starts_shows_progress_and_opens(page, server):
    opened(page, server, "/ensembles")
    page.fill("[data-knob=replicates]", "500")
    assert page.is_disabled("[data-act=start]")
    page.fill("[data-knob=replicates]", "3")
    page.click("[data-act=start]")
    page.wait_for_selector("[data-progress] progress")
    page.wait_for_selector("[data-chart=fan]", timeout=120_000)
    page.wait_for_selector("[data-chart=differences]")
    assert "6 runs" in page.inner_text("main")


@pytest.mark.long
def test_an_ensemble_is_cancelled_and_keeps_what_it_has(page, server):
    opened(page, server, "/ensembles")
    page.fill("[data-knob=replicates]", "6")
    page.click("[data-act=start]")
    page.wait_for_selector("[data-act=cancel]")
    page.wait_for_function(
        "() => /[1-9][0-9]* of 12/.test(document.querySelector('[data-progress]').textContent)",
        timeout=120_000,
    )
    page.click("[data-act=cancel]")
    page.wait_for_selector("[data-ensemble] [data-message]", timeout=60_000)
    assert "Cancelled" in page.inner_text("[data-ensemble] [data-message]")
    page.wait_for_selector("[data-act=start]")


@pytest.mark.long
def test_bad_input_is_told_in_place_and_the_rest_goes_on(page, server):
    opened(page, server, "/?scenario=gird-delay&set=pue=9&package=grid-first")
    alert = page.inner_text("[role=alert]")
    assert "did you mean 'grid-delay'" in alert
    assert "pue" in alert
    assert page.input_value("[data-knob=package]") == "grid-first"
    page.click("[role=alert] button")
    page.wait_for_selector("[role=alert]", state="detached")
    page.click("nav a:has-text('Ensembles')")
    page.fill("[data-knob=folder]", "../..")
    page.click("[data-act=open]")
    page.wait_for_selector("main [data-message]")
    (server.results / "plain").mkdir(exist_ok=True)
    page.fill("[data-knob=folder]", "plain")
    page.click("[data-act=open]")
    page.wait_for_function(
        "() => document.querySelector('main [data-message]').textContent.includes('no results folder')"
    )


@pytest.mark.long
def test_a_run_that_fails_while_dragging_is_told_and_the_next_one_works(page, server):
    import psutil

    opened(page, server)
    shown = run_id(page)
    workers = [
        child
        for child in psutil.Process(server.process.pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]
    slider = page.locator("input[data-knob=coal_retirement_gw]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.wait_for_timeout(1000)  # nothing else is computed
    before = [sum(worker.cpu_times()[:2]) for worker in workers]
    page.mouse.click(box["x"] + 0.13 * box["width"], box["y"] + box["height"] / 2)
    wait_until(
        lambda: any(
            sum(worker.cpu_times()[:2]) > spent + 0.05 for worker, spent in zip(workers, before, strict=True)
        )
    )
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    page.wait_for_selector("[role=alert]", timeout=60_000)
    assert "ended" in page.inner_text("[role=alert]")
    assert page.locator("[data-tile]").count() >= 5  # the last result stays
    press(page, "coal_retirement_gw", "Home")
    page.wait_for_function(f"() => !document.querySelector('[data-status]').textContent.includes('{shown}')")
    settled(page)
    page.wait_for_selector("[role=alert]", state="detached")
    assert run_id(page) != shown


@pytest.mark.long
def test_korean_light_and_dark(page, server):
    opened(page, server)
    page.click("[data-act=language]")
    page.wait_for_function("() => document.documentElement.lang === 'ko'")
    assert re.search("[가-힣]", page.inner_text("nav"))
    assert "lang=ko" in page.url
    ground = "() => getComputedStyle(document.querySelector('.v-application')).backgroundColor"
    before = page.evaluate(ground)
    page.click("[data-act=theme]")
    page.wait_for_function(f"() => ({ground})() !== '{before}'")
    page.reload()
    settled(page)
    assert page.evaluate("() => document.documentElement.lang") == "ko"
    assert page.evaluate(ground) != before


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(server, engine, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = engine.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    try:
        for path in (*PAGES, "/why?ask=kepco", "/?lang=ko"):
            opened(page, server, path)
            page.wait_for_timeout(300)
            found = axe.Axe().run(page).response
            assert len(found["passes"]) > 15, path
            serious = [
                (one["id"], one["nodes"][0]["html"][:200])
                for one in found["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == [], path
    finally:
        context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", [(1440, 900), (768, 1024), (720, 450)])
def test_nothing_is_cut_off_at_any_size_not_even_at_200_percent(server, engine, size):
    """720 x 450 is what a screen of 1440 x 900 has left when the page is enlarged to 200 %."""
    context = engine.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    try:
        for path in PAGES:
            opened(page, server, path)
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= size[0] + 1, path
            assert (
                page.evaluate("() => document.querySelector('meta[name=viewport]').content")
                == "width=device-width, initial-scale=1"
            )
    finally:
        context.close()
