"""The commands of ``%aml``, declared: this is the grammar, the help and the completion at once.

A new verb is one entry here and one function in ``commands/``; a test holds the two together.
"""

from __future__ import annotations

from aml_magics.notebook.grammar import Noun, Verb
from aml_magics.notebook.nouns.data_factory import DATA_FACTORIES
from aml_magics.notebook.nouns.datastore import DATASTORES
from aml_magics.notebook.nouns.experiment import EXPERIMENTS
from aml_magics.notebook.nouns.export import EXPORTS
from aml_magics.notebook.nouns.logic_app import LOGIC_APPS
from aml_magics.notebook.nouns.panel import PANELS
from aml_magics.notebook.nouns.pipeline import PIPELINES
from aml_magics.notebook.nouns.run import RUNS
from aml_magics.notebook.nouns.schedule import SCHEDULES
from aml_magics.notebook.nouns.serve import SERVE
from aml_magics.notebook.nouns.workspace import CONNECT, DOCTOR, STATUS

__all__ = ["TREE"]

TREE: tuple[Noun | Verb, ...] = (
    CONNECT,
    STATUS,
    DOCTOR,
    EXPERIMENTS,
    DATASTORES,
    PIPELINES,
    SCHEDULES,
    EXPORTS,
    LOGIC_APPS,
    DATA_FACTORIES,
    RUNS,
    PANELS,
    SERVE,
)
