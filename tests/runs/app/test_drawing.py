"""What a page draws, and when."""

from __future__ import annotations

import time
from typing import Any

import reacton
import reacton.ipywidgets as w
import solara

from runs.app.drawing import Late, Page
from tests.runs.app.slow import wait_until


def shown(late: Late[Any], other: Any = None) -> list[Any]:
    """What a component that reads ``late`` (and ``other``) is drawn with, time after time."""
    drawn: list[Any] = []

    @solara.component
    def Shows() -> None:
        drawn.append(late.value if other is None else (other.value, late.value))
        w.Label(value=str(late.value))

    reacton.render(Shows(), handle_error=False)
    return drawn


def test_what_is_put_off_is_true_at_once_and_drawn_later():
    late = Late(1)
    drawn = shown(late)
    late.put(2)
    assert (late.value, late.peek(), drawn) == (2, 2, [1])
    late.draw()
    assert drawn == [1, 2]
    late.draw()
    assert drawn == [1, 2], "there is nothing new to draw"
    late.value = 3
    assert drawn == [1, 2, 3]


def test_a_page_is_drawn_soon_once_nobody_has_asked_for_it_for_a_while():
    late = Late(0)
    drawn = shown(late)
    page = Page(late)
    began = time.monotonic()
    for turn in range(1, 6):
        late.put(turn)
        page.draw_soon(0.15)
        assert page.expected
        time.sleep(0.05)
    wait_until(lambda: len(drawn) > 1)
    assert time.monotonic() - began >= 0.2 + 0.15 - 0.02, "the last of them counts"
    assert drawn == [0, 5]
    assert not page.expected
    late.put(9)
    page.draw_soon(0.05)
    page.close()
    time.sleep(0.15)
    assert drawn == [0, 5], "the page has gone"


def test_what_was_shown_before_it_was_drawn_is_drawn_again_when_it_is_taken_back():
    late, other = Late("a"), solara.reactive(0)
    drawn = shown(late, other)
    late.put("b")
    other.value = 1  # drawn for another reason
    late.put("a")
    late.draw()
    assert drawn == [(0, "a"), (1, "b"), (1, "a")]
