"""``%aml logic-app run`` and ``%aml data-factory run``: definitions that run here, without Azure."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN

__all__ = ["RUN_DATA_FACTORY", "RUN_LOGIC_APP"]

_FOR = Option(
    name="for",
    value="TIME",
    read=values.seconds,
    help="how long triggers may fire: 90, '5 minutes'; default: 60 seconds",
)
_DATASTORE = Option(
    name="datastore",
    value="NAME",
    read=values.reference,
    completes="datastore",
    help="the datastore that stands for the storage account of a trigger on blobs",
)

RUN_LOGIC_APP = Verb(
    name="run",
    help="run a Logic App here for some time: its triggers, conditions and actions",
    handler="logic_app_run:run",
    positionals=(
        Positional(
            name="FILE|NAME",
            help="an exported folder, its template.json, a workflow's JSON, the name of an export or of a schedule",
            read=values.anything,
            required=False,
            completes="file",
        ),
    ),
    options=(
        _FOR,
        Option(
            name="interval",
            value="TIME",
            read=values.seconds,
            help="look so often, whatever the definition says",
        ),
        Option(name="existing", help="files that are there already count as added"),
        Option(name="once", help="stop after the first check that fires"),
        _DATASTORE,
        Option(name="no-raise", help="return failed runs instead of raising an error"),
        DRY_RUN,
    ),
    body="text",
    details=(
        "The whole definition is checked first: what cannot run here is refused by name, and nothing has run then. The "
        "HTTP action posts to the open workspace what the Logic App would post, and a sign-in that Azure would refuse "
        "is refused. A blob trigger looks at the direct children of its folder, as on Azure. A cell's body is a "
        "definition too. The result has the runs (runs_table) with data paths and runs of Azure ML, their actions "
        "(actions_table), and each check of a trigger with the reason why it fired or not (checks_table)."
    ),
    examples=(
        "%aml logic-app run watch --for 30s --interval 1s",
        "%aml logic-app run watch-logic-app --existing --once",
    ),
)

RUN_DATA_FACTORY = Verb(
    name="run",
    help="run a Data Factory pipeline here, once or when its trigger fires",
    handler="data_factory_run:run",
    positionals=(
        Positional(
            name="FILE|NAME",
            help="an exported folder, its template.json, a pipeline's JSON, or the name that was exported",
            read=values.anything,
            required=False,
            completes="file",
        ),
    ),
    options=(
        Option(
            name="parameter",
            value="NAME=VALUE",
            pairs=True,
            help="a parameter of the Data Factory pipeline; may be repeated",
        ),
        Option(name="pipeline", value="NAME", help="which one, where the definition has several"),
        Option(name="trigger", value="NAME", help="let this trigger fire, in place of one run now"),
        _FOR,
        _DATASTORE,
        Option(name="no-raise", help="return a failed run instead of raising an error"),
        DRY_RUN,
    ),
    body="text",
    details=(
        "The whole definition is checked first: what cannot run here is refused by name, and nothing has run "
        "then. The Machine Learning activity submits to the open workspace what Data Factory would submit, and "
        "waits; interrupting cancels that run, as cancelling does in Azure. A cell's body is a definition too. "
        "A trigger on blobs looks at the datastore once a second, in place of Event Grid."
    ),
    examples=(
        "%aml data-factory run nightly --parameter day=2026-12-01",
        "%aml data-factory run nightly-data-factory/template.json --trigger nightly --for 60s",
    ),
)
