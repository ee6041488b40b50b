"""``%aml data-factory``: an exported schedule as a Data Factory pipeline with its trigger on Azure."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.hosted import FACTORY, GROUP, ROLES, RUN, TIMEOUT, VALUES
from aml_magics.notebook.nouns.options import DRY_RUN, LIMIT
from aml_magics.notebook.nouns.run_here import RUN_DATA_FACTORY

__all__ = ["DATA_FACTORIES"]

_FOLDER = Positional(
    name="FOLDER",
    help="the folder of an export, or NAME for NAME-data-factory",
    read=values.reference,
    completes="file",
)
_NAME = Positional(
    name="NAME", help="the name of a pipeline or of its trigger", read=values.reference, completes="factory-trigger"
)
_NAMES = Positional(
    name="NAME",
    help="names of triggers, or of pipelines for all of theirs",
    read=values.references,
    many=True,
    required=False,
    completes="factory-trigger",
)

DATA_FACTORIES = Noun(
    name="data-factory",
    help="schedules as pipelines of Azure Data Factory: deploy them, start and stop their triggers, see their runs",
    verbs=(
        RUN_DATA_FACTORY,
        Verb(
            name="deploy",
            help="check an export, and create or change its pipeline and trigger in a data factory",
            handler="data_factory:deploy",
            positionals=(_FOLDER,),
            options=(
                FACTORY,
                VALUES,
                Option(name="start", help="start its trigger, once it is there"),
                ROLES,
                GROUP,
                TIMEOUT,
                DRY_RUN,
            ),
            details=(
                "The data factory must be there. Azure checks the template first; --dry-run stops there and shows what "
                "would be made or changed. A new trigger is Stopped unless --start says otherwise; one that is started "
                "is stopped for the change and started again."
            ),
            examples=(
                "%aml data-factory deploy Nightly --factory etl --dry-run",
                "%aml data-factory deploy Nightly-data-factory --factory etl --start",
            ),
        ),
        Verb(
            name="list",
            help="the triggers of the data factories of the resource group",
            handler="data_factory:list_all",
            options=(FACTORY, GROUP),
            examples=("%aml data-factory list",),
        ),
        Verb(
            name="show",
            help="one pipeline: its activities, parameters, triggers, last runs",
            handler="data_factory:show",
            positionals=(_NAME,),
            options=(FACTORY, GROUP),
            examples=("%aml data-factory show Nightly",),
        ),
        Verb(
            name="history",
            help="when its triggers fired, or failed to, and why",
            handler="data_factory:history",
            positionals=(_NAME,),
            options=(LIMIT, FACTORY, GROUP),
            examples=("%aml data-factory history Nightly",),
        ),
        Verb(
            name="runs",
            help="its newest runs; with --run the activities of one of them",
            handler="data_factory:runs",
            positionals=(_NAME,),
            options=(RUN, LIMIT, FACTORY, GROUP),
            examples=("%aml data-factory runs Nightly", "%aml data-factory runs Nightly --run ID"),
        ),
        Verb(
            name="trigger",
            help="start a pipeline now",
            handler="data_factory:trigger",
            positionals=(_NAME,),
            options=(
                Option(
                    name="parameter",
                    value="NAME=VALUE",
                    pairs=True,
                    help="a parameter of the pipeline; may be repeated",
                ),
                FACTORY,
                GROUP,
                DRY_RUN,
            ),
            examples=("%aml data-factory trigger Nightly --parameter learning_rate=0.1",),
        ),
        Verb(
            name="start",
            help="start triggers: from now on they fire",
            handler="data_factory:start",
            positionals=(_NAMES,),
            options=(FACTORY, GROUP, DRY_RUN),
            body="names",
            examples=("%aml data-factory start Nightly",),
        ),
        Verb(
            name="stop",
            help="stop triggers; runs go on",
            handler="data_factory:stop",
            positionals=(_NAMES,),
            options=(FACTORY, GROUP, DRY_RUN),
            body="names",
            examples=("%aml data-factory stop Nightly",),
        ),
    ),
)
