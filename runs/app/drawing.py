"""When a page is drawn: what changes together at once, what can wait later, always in the context of its user."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import solara


class Late[T]:
    """Like ``solara.reactive``, with :meth:`put` for what need not be drawn yet.

    A component that reads ``value`` is drawn again, at :meth:`draw`, when it has been drawn with another one.
    """

    def __init__(self, value: T):
        self._true = self._drawn = value
        self._undrawn_read = False
        """Whether somebody has read a value that was not drawn yet, and may show it."""
        self._version = solara.reactive(0)

    @property
    def value(self) -> T:
        self._version.value  # noqa: B018  the component that reads it depends on it
        self._undrawn_read = self._undrawn_read or self._true != self._drawn
        return self._true

    @value.setter
    def value(self, value: T) -> None:
        self._true = value
        self.draw()

    def peek(self) -> T:
        """The value, for those who need not be drawn again."""
        return self._true

    def put(self, value: T) -> None:
        """True from now on; drawn at the next :meth:`draw`."""
        self._true = value

    def draw(self) -> None:
        """Draw it where it is read, if it has changed since."""
        if self._drawn != self._true or self._undrawn_read:
            self._drawn, self._undrawn_read = self._true, False
            self._version.value = self._version.peek() + 1


class Page:
    """The page of one user, as something to draw on."""

    def __init__(self, *late: Late[Any]):
        self._late = late
        self._context = _kernel()
        self._timer: threading.Timer | None = None
        self._not_before = 0.0
        self._closed = False
        self.publishing = threading.Lock()
        """Taken by those who draw from threads of their own: drawing takes Solara's locks."""

    @property
    def expected(self) -> bool:
        """Whether it will be drawn soon."""
        return self._timer is not None

    def kernel(self) -> AbstractContextManager[Any]:
        """Solara's context of this user, for threads that draw."""
        return self._context if self._context is not None else nullcontext()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What changes within is drawn at its end, in one go."""
        with self.kernel():
            tree = getattr(self._context, "app_object", None)
            with tree if tree is not None else nullcontext():
                yield

    def draw(self) -> None:
        """Draw what has been put off."""
        with self.together():
            for one in self._late:
                one.draw()

    def draw_soon(self, seconds: float) -> None:
        """The same once nobody has asked for it for ``seconds``."""
        self._not_before = time.monotonic() + seconds
        if self._timer is None:
            self._wait(seconds)

    def close(self) -> None:
        """The page has gone."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        if self._closed:
            return
        left = self._not_before - time.monotonic()
        if left > 0.01:
            self._wait(left)
            return
        self._timer = None
        with self.publishing:
            self.draw()


def _kernel() -> Any:
    """Solara's context of this user; None outside of a server."""
    from solara.server import kernel_context

    try:
        return kernel_context.get_current_context()
    except RuntimeError:
        return None
