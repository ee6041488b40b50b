"""Which kernels live on this file, and which have died.

A kernel is an *owner*: host, process id, the start time of that process (so that a process id used again is not taken
for the old one) and something random. It counts up its ``beat`` every two seconds. Another one is dead when

* it was a process of this machine and there is no such process any more, or
* its beat has not moved for ``SILENT_BEATS`` of our own beats (8 s). Our beats, not its clock: after a laptop was
  suspended everybody's last beat is old, and nobody is dead. A process of this machine that is there but silent gets
  ``PATIENCE`` times as long, because one long call that holds the interpreter lock silences its loop without harm.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

from aml_magics.engine.clock import Clock
from aml_magics.engine.database import Database

__all__ = ["BEAT_SECONDS", "Owners", "this_process"]

BEAT_SECONDS = 2.0
SILENT_BEATS = 4
PATIENCE = 8


def this_process() -> str:
    """A name for one engine in this process: ``host:pid:start:random``."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_start_of(pid)}:{secrets.token_hex(4)}"


class Owners:
    """The table ``owners``, seen from one of them."""

    def __init__(self, database: Database, clock: Clock, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._beat = 0
        self._seen: dict[str, tuple[int, int]] = {}  # the others' beats, and for how many of ours they have not moved
        self.alive = 0

    def beat(self) -> list[str]:
        """Count up our own beat and return who is dead; they stay in the table until ``forget``."""
        self._beat += 1
        values = (self._owner, self._beat, self._clock.now())
        with self._database.transaction(durable=False, news=False) as db:
            db.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?)", values)
        others = self._database.rows("SELECT owner, beat FROM owners WHERE owner <> ?", (self._owner,))
        beats: dict[str, int] = {row["owner"]: row["beat"] for row in others}
        self._seen = {owner: self._silence(owner, beat) for owner, beat in beats.items()}
        dead = [owner for owner, (_, silent) in self._seen.items() if _is_dead(owner, silent)]
        self.alive = 1 + len(beats) - len(dead)
        return dead

    def strays(self, owners: Iterable[str]) -> list[str]:
        """Which of these have work here but no beat, and can have none: they left, or were forgotten, too early."""
        known = {row["owner"] for row in self._database.rows("SELECT owner FROM owners")}
        return [owner for owner in owners if owner not in known and self._is_stray(owner)]

    def _is_stray(self, owner: str) -> bool:
        is_this_process = owner.split(":")[:3] == self._owner.split(":")[:3]
        return is_this_process or _is_dead(owner, SILENT_BEATS)

    def forget(self, owner: str) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM owners WHERE owner = ?", (owner,))

    def leave(self) -> None:
        """Say that we are gone."""
        self.alive = 0
        self.forget(self._owner)

    def _silence(self, owner: str, beat: int) -> tuple[int, int]:
        known, silent = self._seen.get(owner, (-1, 0))
        return (beat, silent + 1) if known == beat else (beat, 0)


def _is_dead(owner: str, silent: int) -> bool:
    machine, _, rest = owner.partition(":")
    pid, start, _ = rest.split(":")
    if machine != _machine():
        return silent >= SILENT_BEATS
    if _start_of(int(pid)) not in (start, "?"):
        return True
    return silent >= SILENT_BEATS * PATIENCE


def _machine() -> str:
    """The host, this boot of it, and within it the process id space: two containers may share a name and a folder."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name.removeprefix("pid")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        space = boot = ""
    return f"{socket.gethostname()}{space}{boot}".replace(":", "-")


def _start_of(pid: int) -> str:
    """When a process started, in the system's own unit; "" when there is no such process, "?" when nobody can say."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return ""
    except OSError:  # a process of somebody else, or a system without /proc
        return "?"
    state, *fields = status.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
