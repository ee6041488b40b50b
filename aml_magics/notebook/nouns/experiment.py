"""``%aml experiment``."""

from __future__ import annotations

from aml_magics.notebook.grammar import Noun, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN, named

EXPERIMENTS = Noun(
    name="experiment",
    help="groups of runs",
    verbs=(
        Verb(name="list", help="all experiments", handler="experiment:list_all", examples=("%aml experiment list",)),
        Verb(
            name="show",
            help="one experiment and its last runs",
            handler="experiment:show",
            positionals=(named("experiment"),),
            examples=("%aml experiment show MyExperiment",),
        ),
        Verb(
            name="create",
            help="make an experiment; one that is there already is returned",
            handler="experiment:create",
            positionals=(Positional(name="NAME", help="the name of the new experiment"),),
            options=(DRY_RUN,),
            examples=("%aml experiment create MyExperiment",),
        ),
    ),
)
