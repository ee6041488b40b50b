"""The commands of ``%aml``, declared: this is the grammar, the help and the completion at once.

A new verb is one entry here and one function in ``commands/``; a test holds the two together.
"""

from __future__ import annotations

from aml_magics.notebook.grammar import Noun, Verb
from aml_magics.notebook.nouns.data_factory import DATA_FACTORIES
from aml_magics.notebook.nouns.datastore import DATASTORES
from aml_magics.notebook.nouns.experiment import EXPERIMENTS
from aml_magics.notebook.nouns.export import EXPORTS
