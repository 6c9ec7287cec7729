"""One writer for a folder of results.

On a disk the system's own lock is used: it goes with the process that held it, however that ended. On
object storage a lock is an object that its holder keeps changing; whoever finds one watches whether it
still changes, so that no two machines' clocks are ever compared.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from runs.checking import BadInput, Complaint
from runs.folder import Folder, why_not

NAME = ".lock"
BEAT_S = 5.0
PATIENCE_S = 3.5 * BEAT_S
_OPEN: set[Any] = set()


def release_in_child() -> None:
    """A fork closes its copies, so that a lock ends with the process that took it."""
    for file in _OPEN:
        file.close()
    _OPEN.clear()


class Lock:
    """Hold a folder for this process; :class:`BadInput` names who holds it already."""

    def __init__(
        self, folder: Folder, sleep: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S
    ):
        self._folder, self._sleep, self._patience = folder, sleep, patience_s
        self._file: Any = None
        self._mine = uuid.uuid4().hex
        self._stop = threading.Event()
        self._beating: threading.Thread | None = None

    def __enter__(self) -> Lock:
        try:
            if self._folder.path is not None:
                self._take_file()
            else:
                self._take_object()
        except OSError as error:
            message = f"cannot write results there: {why_not(error)}; choose another folder"
            raise BadInput([Complaint(str(self._folder), 0, "--out", message)]) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            _OPEN.discard(self._file)
            self._file.close()
        if self._beating is not None:
            self._stop.set()
            self._beating.join()
            if self._held_by(self._read()) == self._mine:
                self._folder.remove(NAME)

    # -- on a disk ---------------------------------------------------------------------------
    def _take_file(self) -> None:
        assert self._folder.path is not None
        file = (self._folder.path / NAME).open("a+", encoding="utf-8")
        if not _locked(file):
            file.seek(0)
            held = file.read()
            file.close()
            raise self._taken(held)
        file.truncate(0)
        file.write(self._card())
        file.flush()
        self._file = file
        _OPEN.add(file)

    # -- on object storage -------------------------------------------------------------------
    def _take_object(self) -> None:
        held = self._read()
        if held:
            waited, step = 0.0, min(1.0, self._patience)
            while waited < self._patience:
                self._sleep(step)
                waited += step
                now = self._read()
                if now and now != held:
                    raise self._taken(now)
                if not now:
                    break
        self._folder.write(NAME, self._card().encode())
        self._sleep(min(0.2, self._patience))  # whoever wrote at the same time: the last one holds it
        now = self._read()
        if self._held_by(now) != self._mine:
            raise self._taken(now)
        self._beating = threading.Thread(target=self._beat, name="madang-lock", daemon=True)
        self._beating.start()

    def _beat(self) -> None:
        beat = 0
        while not self._stop.wait(BEAT_S):
            beat += 1
            with suppress(OSError):  # a beat that is missed is made up for by the next
                self._folder.write(NAME, self._card(beat).encode())

    def _read(self) -> str:
        with suppress(FileNotFoundError):
            return self._folder.read(NAME).decode("utf-8", "replace")
        return ""

    # -- who ---------------------------------------------------------------------------------
    def _card(self, beat: int = 0) -> str:
        return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "key": self._mine, "beat": beat})

    @staticmethod
    def _held_by(card: str) -> str:
        with suppress(ValueError, AttributeError):
            return str(json.loads(card).get("key", ""))
        return ""

    def _taken(self, card: str) -> BadInput:
        who = "another process"
        with suppress(ValueError, KeyError, TypeError):
            found = json.loads(card)
            who = f"process {found['pid']} on {found['host']}"
        message = f"{who} is writing results there now; wait until it ends, or choose another folder"
        return BadInput([Complaint(str(self._folder), 0, "--out", message)])


def _locked(file: Any) -> bool:
    """Take the system's lock on an open file; False where somebody has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            return True
        except OSError:
            return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
