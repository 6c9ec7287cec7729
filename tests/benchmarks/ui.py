"""How quick the browser app is, measured in Chromium: `python -m tests.benchmarks.ui [--quick] [--json]`.

* first page: from the start of the command to a page with charts;
* one move: from a click on a slider, somewhere else each time, to charts drawn for it, with nothing else going on;
* pointed: the same where the pointer rests for 0.3 s before it presses, as a hand does that aims (the run begins
  as soon as it rests);
* one step: the same from a key pressed a second after the last charts, as somebody does who looks before going on
  (the next step has been computed in the meantime, or has begun to be);
* dragging: a move every 60 ms for some seconds. Of every move that is drawn, the time to its charts; and of
  every move, the time until charts for it *or for a later one* are drawn (what a person waits at most). Charts of
  a value between two moves, which the hand has gone past, count for the move before;
* reaching: the slider is taken by its thumb and brought to a place in 0.7 s, fast in the middle and slow at the
  end as hands do, held for 0.12 s and let go: from the last move to the charts for it;
* play: months a second on the Month by month page;
* users: ten at once, each with a state of its own, and what each further one costs in memory.

Beside each time stands the wall time of the model runs of the same minutes, so that the app's own part can be
told from the model's; a machine that does something else makes both larger.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.runs.app import browser
from tests.runs.app.browser import Server, chromium, missing, run_id, serving, settled

KNOB = "coal_retirement_gw"
SENT = """() => {
    const set = new URLSearchParams(location.search).get('set') || '';
    return Number(set.split('=')[1]) === Number(document.querySelector('input[data-knob=storage_auction_gw]').value);
}"""
"""Whether the server has taken the last move: its value stands in the link."""

OTHERS_MS = 2500
"""After a new seed the run without policy is computed too, that winners and losers are held against."""

PASS_S, REACH_S = 5.0, 0.7
"""Seconds for one pass of the hand from end to end of the slider, and to bring it to a place."""
GOALS = {
    "first_page_s": 5.0,
    "move_median_ms": 400.0,
    "move_p95_ms": 700.0,
    "pointed_median_ms": 400.0,
    "pointed_p95_ms": 700.0,
    "step_median_ms": 400.0,
    "step_p95_ms": 700.0,
    "drag_median_ms": 400.0,
    "drag_p95_ms": 700.0,
    "reach_median_ms": 400.0,
    "reach_p95_ms": 700.0,
    "play_months_a_second": 10.0,
    "memory_per_user_mb": 30.0,
}
AT_LEAST = ("play_months_a_second",)


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def charts_drawn(page: Any) -> list[tuple[float, float]]:
    """Move number and moment at which all charts in sight were drawn for it."""
    found = page.evaluate("() => window.madang.drawn.map(one => [one.stamp, one.at])")
    last: dict[float, float] = {}
    for stamp, at in found:
        last[stamp] = max(last.get(stamp, 0.0), at)
    return sorted(last.items())


def moves(page: Any) -> dict[float, float]:
    """Move number to the moment in which it was made."""
    return {float(stamp): at for stamp, at in page.evaluate("() => [...window.madang.moves.entries()]")}


def model_seconds(page: Any) -> float:
    """What the page says its run took."""
    text: str = page.inner_text("[data-status]")
    return float(text.split(" s ")[0].split()[-1])


def first_page(results: Path, engine: Any) -> float:
    """Seconds from the start of the command to charts."""
    with serving(results) as server:
        page = engine.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(server.url)
        page.wait_for_selector("[data-chart=accelerators] [data-drawn]", timeout=120_000)
        seconds = time.monotonic() - server.began
        page.context.close()
        return seconds


def new_luck(page: Any, seed: int) -> None:
    """Another seed, so that no run is known from before; then the rest of its runs, so that nothing else goes on."""
    page.fill("input[data-knob=seed]", str(seed))
    page.keyboard.press("Enter")
    settled(page)
    page.wait_for_timeout(OTHERS_MS)


def single_moves(page: Any, count: int, rest_ms: float = 0.0) -> tuple[list[float], list[float]]:
    """Milliseconds from each move to its charts, and of the model run behind it; no value is met twice.

    The pointer rests for ``rest_ms`` where it then presses.
    """
    first = 500 if not rest_ms else 600
    slider = page.locator(f"input[data-knob={KNOB}]")

    def jump(turn: int) -> None:
        if turn % 8 == 0:
            new_luck(page, first + turn)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        share = 0.1 + 0.8 * ((turn + 1) * 0.618034 % 1.0)  # far from the last place
        at = box["x"] + share * box["width"], box["y"] + box["height"] / 2
        if rest_ms:
            page.mouse.move(*at)
            page.wait_for_timeout(rest_ms)
        page.mouse.click(*at)

    return _timed(page, count, jump)


def steps(page: Any, count: int) -> list[float]:
    """Milliseconds from each key to its charts, with a second in between to look at them."""
    new_luck(page, 700)
    page.focus(f"input[data-knob={KNOB}]")
    page.keyboard.press("Home")
    settled(page)

    def step(turn: int) -> None:
        page.wait_for_timeout(1000)
        page.keyboard.press("ArrowRight")

    return _timed(page, count, step)[0]


def _timed(page: Any, count: int, move: Callable[[int], None]) -> tuple[list[float], list[float]]:
    times, model = [], []
    for turn in range(count):
        before = max(moves(page), default=0.0)
        move(turn)  # may go about other things first, none of which moves a slider
        page.wait_for_function(f"() => Math.max(...window.madang.moves.keys()) > {before}")
        stamp = max(moves(page))
        page.wait_for_function(
            f"() => window.madang.drawn.some(one => one.stamp === {stamp})", timeout=60_000
        )
        settled(page)
        page.wait_for_timeout(60)
        times.append(dict(charts_drawn(page))[stamp] - moves(page)[stamp])
        model.append(1000.0 * model_seconds(page))
    return times, model


def dragging(page: Any, seconds: float) -> tuple[list[float], list[float], int]:
    """Milliseconds to the charts of the moves that were drawn; of all moves, to charts that are no older; moves."""
    slider = page.locator(f"input[data-knob={KNOB}]")
    shown, waits, count = [], [], 0
    for turn in range(max(1, round(seconds / PASS_S))):
        new_luck(page, 1000 + turn)
        page.evaluate("() => { window.madang.drawn.length = 0; }")
        first = max(moves(page), default=0.0)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        began = time.monotonic()
        page.mouse.move(box["x"] + 0.1 * box["width"], y)
        page.mouse.down()
        while (share := (time.monotonic() - began) / PASS_S) < 1.0:
            page.mouse.move(box["x"] + (0.1 + 0.8 * share) * box["width"], y)
            page.wait_for_timeout(60)
        page.mouse.up()
        settled(page)
        page.wait_for_timeout(300)
        made = {stamp: at for stamp, at in moves(page).items() if stamp > first}
        drawn = [(stamp, at) for stamp, at in charts_drawn(page) if stamp in made]
        shown += [at - made[stamp] for stamp, at in drawn]
        for stamp, at in made.items():
            later = [when for number, when in drawn if number >= stamp]
            if later:
                waits.append(min(later) - at)
        count += len(made)
    return shown, waits, count


def reaching(page: Any, count: int) -> list[float]:
    """Milliseconds from the last move of a hand that brings the slider to a place, to the charts for it."""
    slider = page.locator(f"input[data-knob={KNOB}]")

    def reach(turn: int) -> None:
        if turn % 6 == 0:
            new_luck(page, 2000 + turn)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        low, high, value = (float(slider.evaluate(f"one => one.{name}")) for name in ("min", "max", "value"))
        thumb = 20.0
        first = box["x"] + thumb / 2 + (value - low) / (high - low) * (box["width"] - thumb)
        last = box["x"] + (0.1 + 0.8 * ((turn + 1) * 0.618034 % 1.0)) * box["width"]
        y = box["y"] + box["height"] / 2
        page.mouse.move(first, y)
        page.wait_for_timeout(200)
        page.mouse.down()
        began = time.monotonic()
        while (t := (time.monotonic() - began) / REACH_S) < 1.0:
            share = t**3 * (10.0 - 15.0 * t + 6.0 * t * t)  # least jerk (Flash and Hogan 1985)
            page.mouse.move(first + share * (last - first), y)
            page.wait_for_timeout(16)
        page.mouse.move(last, y)
        page.wait_for_timeout(120)
        page.mouse.up()

    return _timed(page, count, reach)[0]


def play(page: Any, server: Server) -> float:
    """Months a second with the speed set to ten, and as fast as it goes with twenty."""
    page.goto(server.url + "/months")
    settled(page)
    page.wait_for_selector("[data-chart=map] [data-drawn]")
    page.click("[data-play]")
    page.wait_for_timeout(6000)
    ticks = page.evaluate("() => window.madang.ticks")
    return (len(ticks) - 1) / ((ticks[-1] - ticks[0]) / 1000.0)


def users(server: Server, engine: Any, count: int) -> tuple[float, bool, float]:
    """Memory of each further user in MB, whether all kept apart, and seconds until all had their own answer."""
    import psutil

    process = psutil.Process(server.process.pid)

    def opened() -> Any:
        page = engine.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(server.url)
        settled(page)
        return page

    pages = [opened()]
    before = process.memory_info().rss
    pages += [opened() for _ in range(count - 1)]
    each = (process.memory_info().rss - before) / (count - 1) / 2**20
    began = time.monotonic()
    for number, page in enumerate(pages):
        page.focus("input[data-knob=storage_auction_gw]")
        for _ in range(number + 1):
            page.keyboard.press("ArrowRight")
    for page in pages:
        page.wait_for_function(SENT)
        page.wait_for_timeout(200)
        settled(page)
    seconds = time.monotonic() - began
    values = [page.input_value("input[data-knob=storage_auction_gw]") for page in pages]
    links = [page.evaluate("() => new URLSearchParams(location.search).get('set')") for page in pages]
    apart = len({run_id(page) for page in pages}) == count
    apart = apart and all(
        float(link.split("=")[1]) == float(value) for link, value in zip(links, values, strict=True)
    )
    for page in pages:
        page.context.close()
    return each, apart, seconds


def measure(quick: bool) -> dict[str, Any]:
    """Everything, by name."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as chrome:
        engine = chrome.chromium.launch(executable_path=chromium(), args=list(browser.FLAGS))
        starts = [first_page(Path(folder), engine) for _ in range(2 if quick else 5)]
        found["first_page_s"] = statistics.median(starts[1:] or starts)
        with serving(Path(folder)) as server:
            page = engine.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.goto(server.url)
            settled(page)
            page.wait_for_timeout(6000)  # the second process is started, and warms up
            page.focus(f"input[data-knob={KNOB}]")
            page.keyboard.press("Home")
            settled(page)
            page.wait_for_timeout(2000)
            single_moves(page, 3)
            times, model = single_moves(page, 10 if quick else 40)
            found["move_median_ms"], found["move_p95_ms"] = statistics.median(times), percentile(times, 0.95)
            pointed, _ = single_moves(page, 8 if quick else 24, rest_ms=300.0)
            found["pointed_median_ms"] = statistics.median(pointed)
            found["pointed_p95_ms"] = percentile(pointed, 0.95)
            stepped = steps(page, 6 if quick else 20)
            found["step_median_ms"], found["step_p95_ms"] = (
                statistics.median(stepped),
                percentile(stepped, 0.95),
            )
            found["model_median_ms"] = statistics.median(model)
            found["app_part_ratio"] = statistics.median(times) / statistics.median(model)
            shown, waits, made = dragging(page, 6 if quick else 20)
            found["drag_median_ms"], found["drag_p95_ms"] = statistics.median(shown), percentile(shown, 0.95)
            found["wait_median_ms"], found["wait_p95_ms"] = statistics.median(waits), percentile(waits, 0.95)
            found["drag_moves"], found["drag_redraws"] = made, len(shown)
            reached = reaching(page, 8 if quick else 24)
            found["reach_median_ms"], found["reach_p95_ms"] = (
                statistics.median(reached),
                percentile(reached, 0.95),
            )
            found["play_months_a_second"] = play(page, server)
            page.context.close()
            each, apart, seconds = users(server, engine, 3 if quick else 10)
            found["memory_per_user_mb"], found["users_apart"], found["users_answered_s"] = (
                each,
                apart,
                seconds,
            )
        engine.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    if why := missing():
        print(f"the browser app is not measured: {why}")
        return
    found = measure(asked.quick)
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        goal = GOALS.get(name)
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
        note = ""
        if goal is not None:
            ratio = value / goal
            note = f"{ratio:5.2f} of the goal ({'at least' if name in AT_LEAST else 'at most'} {goal:g})"
        print(f"{name:24} {text:>10}  {note}")


if __name__ == "__main__":
    main()
