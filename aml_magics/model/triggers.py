"""Triggers: frozen values that answer one question, "when next?", and know nothing of who asks.

::

    Recurrence         every so many units, at hours and minutes, on week days      recurrence.py
    Cron               five fields                                                  cron.py
    DatastoreChange    files added or modified at a place                           change.py

A time trigger makes a ``Timetable`` (``timetable.py``: POSIX seconds in and out, for the engine) and a preview
(``preview.py``: for people). Below both, ``days.py`` knows dates and ``wall_clock.py`` knows clock changes. Beside
them, ``parsing.py`` reads triggers from what people write and ``lint.py`` warns of what they may not have meant.
"""

from __future__ import annotations

from aml_magics.model.change import DatastoreChange
from aml_magics.model.cron import Cron
from aml_magics.model.preview import FireTime
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.timetable import Timetable

__all__ = ["Cron", "DatastoreChange", "FireTime", "Recurrence", "Timetable", "Trigger"]

Trigger = Recurrence | Cron | DatastoreChange
