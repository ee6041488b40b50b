"""``%aml logic-app``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN

RUN = Verb(
    name="run",
    help="run a Logic App here for some time: its triggers, conditions and actions",
    handler="logic_app_run:run",
    positionals=(
        Positional(
            name="FILE|NAME",
            help="an exported folder, its template.json, a workflow's JSON, or the name that was exported",
            read=values.anything,
            required=False,
            completes="file",
        ),
    ),
    options=(
        Option(
            name="for",
            value="TIME",
            read=values.seconds,
            help="how long the triggers may fire: 90, '5 minutes'; default: 60 seconds",
        ),
        Option(
            name="interval",
            value="TIME",
            read=values.seconds,
            help="look so often, whatever the definition says",
        ),
        Option(name="existing", help="files that are there already count as added"),
        Option(name="once", help="stop after the first check that fires"),
        Option(
            name="datastore",
            value="NAME",
            read=values.reference,
            completes="datastore",
            help="the datastore that stands for the storage account",
        ),
        Option(name="no-raise", help="return failed runs instead of raising an error"),
        DRY_RUN,
    ),
    body="text",
    details=(
        "The whole definition is checked first: what cannot run here is refused by name, and nothing has run then. The "
        "HTTP action posts to the open workspace what the Logic App would post; it is sent once, and an audience that "
        "Azure would refuse is refused. A blob trigger looks at the direct children of its folder, as on Azure. A "
        "cell's body is a definition too."
    ),
    examples=(
        "%aml logic-app run watch --for 30s --interval 1s",
        "%aml logic-app run watch-logic-app --existing --once",
    ),
)

LOGIC_APPS = Noun(
    name="logic-app",
    help="Logic Apps that start pipelines",
    verbs=(RUN,),
)
