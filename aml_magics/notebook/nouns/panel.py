"""``%aml panel``."""

from __future__ import annotations

from aml_magics.notebook.grammar import Noun, Option, Verb
from aml_magics.notebook.nouns.options import LIMIT

_OPENS = "A row opens with a click or with Enter, and shows {}. "
_SAME = (
    "The value is the panel: .frame is the data shown, .selected what is selected, .filter and .sort can be set. It "
    "stays up to date while cells run, until the workspace is closed; shown twice it is one table in two places. A "
    "saved notebook keeps a snapshot."
)


def _panel(name: str, help_: str, opens: str = "", *, example: str = "", options: tuple[Option, ...] = ()) -> Verb:
    return Verb(
        name=name,
        help=help_,
        handler=f"panel:{name}",
        options=options,
        details=(_OPENS.format(opens) if opens else "%aml panel alone is the same. ") + _SAME,
        examples=(example or f"%aml panel {name}",),
    )


PANELS = Noun(
    name="panel",
    help="live tables to look at, to open and to stop things from",
    default="overview",
    verbs=(
        _panel(
            "overview",
            "how many there are of everything, a timeline of what ran and fires, the schedules, the newest runs",
            example="%aml panel",
        ),
        _panel(
            "pipelines",
            "published pipelines: last runs, schedules on them, disable and enable",
            "its endpoint, parameters, schedules, last runs and the newest log",
        ),
        _panel(
            "schedules",
            "schedules: trigger, next and last fire, disable and enable",
            "the fires to come, what was seen and done, and why it did not fire",
            example="panel = %aml panel schedules",
        ),
        _panel(
            "runs",
            "the newest runs: status, steps, data, cancel",
            "its steps, and what they write as they write it",
            example="%aml panel runs --limit 100",
            options=(LIMIT,),
        ),
        _panel("datastores", "datastores: where they are, who watches them, what is wrong", "who watches it"),
    ),
)
