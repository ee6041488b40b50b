"""``%aml data-factory``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN

DATA_FACTORIES = Noun(
    name="data-factory",
    help="pipelines of Data Factory that run pipelines of Azure ML",
    verbs=(
        Verb(
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
                Option(
                    name="for",
                    value="TIME",
                    read=values.seconds,
                    help="how long the trigger may fire: 90, '5 minutes'; default: 60 seconds",
                ),
                Option(
                    name="datastore",
                    value="NAME",
                    read=values.reference,
                    completes="datastore",
                    help="the datastore that stands for the storage account of a trigger on blobs",
                ),
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
        ),
    ),
)
