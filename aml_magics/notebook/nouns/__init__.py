"""The commands of ``%aml``, declared: this is the grammar, the help and the completion at once.

A new verb is one entry here and one function in ``commands/``; a test holds the two together.
"""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.datastore import DATASTORES
from aml_magics.notebook.nouns.experiment import EXPERIMENTS
from aml_magics.notebook.nouns.pipeline import PIPELINES
from aml_magics.notebook.nouns.run import RUNS
from aml_magics.notebook.nouns.schedule import SCHEDULES
from aml_magics.notebook.nouns.serve import SERVE

__all__ = ["TREE"]

TREE: tuple[Noun | Verb, ...] = (
    Verb(
        name="connect",
        help="open the workspace embedded in this kernel",
        handler="workspace:connect",
        positionals=(
            Positional(
                name="FOLDER",
                help="the folder that holds the workspace; default: the current one",
                required=False,
                read=values.anything,
                completes="file",
            ),
        ),
        options=(
            Option(
                name="executor",
                value="{EXECUTOR}",
                read=values.anything,
                help="a concurrent.futures.Executor that runs the steps, Dask's too",
            ),
            Option(
                name="parallel-steps",
                value="N",
                read=values.whole_number,
                help="how many steps run at a time; default 4",
            ),
        ),
        details=(
            "Its database is .aml/workspace.db in the folder, its datastore the folder workspaceblobstore. "
            "No account, no set-up: the first command that needs a workspace opens the one of the current folder."
        ),
        examples=("%aml connect", "%aml connect ~/project --parallel-steps 2"),
    ),
    Verb(name="status", help="what is open, and how it does", handler="workspace:status", examples=("%aml status",)),
    EXPERIMENTS,
    DATASTORES,
    PIPELINES,
    SCHEDULES,
    RUNS,
    SERVE,
)
