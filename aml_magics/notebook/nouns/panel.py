"""``%aml panel``."""

from __future__ import annotations

from aml_magics.notebook.grammar import Noun, Verb
from aml_magics.notebook.nouns.options import LIMIT

_OPENS = "A row opens with a click or with Enter, and shows {}. "
_SAME = (
    "The value is the panel: .frame is the data shown, .selected what is selected, .filter and .sort can be set. It "
    "stays up to date while cells run, until the workspace is closed; shown twice it is one table in two places. A "
    "saved notebook keeps a snapshot."
)

PANELS = Noun(
    name="panel",
    help="live tables to look at, to open and to stop things from",
    default="overview",
    verbs=(
        Verb(
            name="overview",
            help="how many there are of everything and how they do, the schedules, the newest runs",
            handler="panel:overview",
            details=f"%aml panel alone is the same. {_SAME}",
            examples=("%aml panel",),
        ),
        Verb(
            name="pipelines",
            help="published pipelines: last runs, schedules on them, disable and enable",
            handler="panel:pipelines",
            details=_OPENS.format("its endpoint, parameters, schedules, last runs and the newest log") + _SAME,
            examples=("%aml panel pipelines",),
        ),
        Verb(
            name="schedules",
            help="schedules: trigger, next and last fire, disable and enable",
            handler="panel:schedules",
            details=_OPENS.format("the fires to come, what was seen and done, and why it did not fire") + _SAME,
            examples=("panel = %aml panel schedules",),
        ),
        Verb(
            name="runs",
            help="the newest runs: status, steps, data, cancel",
            handler="panel:runs",
            options=(LIMIT,),
            details=_OPENS.format("its steps, and what they write as they write it") + _SAME,
            examples=("%aml panel runs --limit 100",),
        ),
        Verb(
            name="datastores",
            help="datastores: where they are, who watches them, what is wrong",
            handler="panel:datastores",
            details=_OPENS.format("who watches it") + _SAME,
            examples=("%aml panel datastores",),
        ),
    ),
)
