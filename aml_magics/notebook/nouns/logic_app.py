"""``%aml logic-app``: an exported schedule as a Logic App on Azure."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.hosted import GROUP, ROLES, RUN, TIMEOUT, VALUES
from aml_magics.notebook.nouns.options import DRY_RUN, LIMIT
from aml_magics.notebook.nouns.run_here import RUN_LOGIC_APP

__all__ = ["LOGIC_APPS"]

_FOLDER = Positional(
    name="FOLDER",
    help="the folder of an export, or NAME for NAME-logic-app",
    read=values.reference,
    completes="file",
)
_NAME = Positional(name="NAME", help="the Logic App's name", read=values.reference, completes="logic-app")
_NAMES = Positional(
    name="NAME",
    help="names of Logic Apps",
    read=values.references,
    many=True,
    required=False,
    completes="logic-app",
)
_TRIGGER = Option(name="trigger", value="NAME", read=values.reference, help="which, where it has several")

LOGIC_APPS = Noun(
    name="logic-app",
    help="schedules as Logic Apps on Azure: deploy them, and see why they did or did not fire",
    verbs=(
        RUN_LOGIC_APP,
        Verb(
            name="deploy",
            help="check an export, and create or change the Logic App on Azure",
            handler="logic_app:deploy",
            positionals=(_FOLDER,),
            options=(
                VALUES,
                Option(name="enable", help="let it fire, once it is there"),
                ROLES,
                GROUP,
                TIMEOUT,
                DRY_RUN,
            ),
            details=(
                "Azure checks the template first; --dry-run stops there and shows what would be made or changed. "
                "A new one is Disabled unless --enable says otherwise; one that is enabled stays so. Interrupt it as "
                "you like: it goes on on Azure, and the same line again finds it."
            ),
            examples=(
                "%aml logic-app deploy MyReactiveSchedule --dry-run",
                "%aml logic-app deploy MyReactiveSchedule-logic-app --roles --enable",
            ),
        ),
        Verb(
            name="list",
            help="the Logic Apps of the resource group",
            handler="logic_app:list_all",
            options=(GROUP,),
            examples=("%aml logic-app list",),
        ),
        Verb(
            name="show",
            help="one Logic App: its triggers, what it starts, its last runs",
            handler="logic_app:show",
            positionals=(_NAME,),
            options=(GROUP,),
            examples=("%aml logic-app show MyReactiveSchedule",),
        ),
        Verb(
            name="history",
            help="every check of its triggers: did it fire, and if not, why",
            handler="logic_app:history",
            positionals=(_NAME,),
            options=(_TRIGGER, LIMIT, GROUP),
            examples=("%aml logic-app history MyReactiveSchedule --limit 100",),
        ),
        Verb(
            name="runs",
            help="its newest runs; with --run what happened in one of them",
            handler="logic_app:runs",
            positionals=(_NAME,),
            options=(RUN, LIMIT, GROUP),
            examples=(
                "%aml logic-app runs MyReactiveSchedule",
                "%aml logic-app runs MyReactiveSchedule --run 08584",
            ),
        ),
        Verb(
            name="trigger",
            help="let its trigger look, or fire, now",
            handler="logic_app:trigger",
            positionals=(_NAME,),
            options=(_TRIGGER, GROUP, DRY_RUN),
            examples=("%aml logic-app trigger MyReactiveSchedule",),
        ),
        Verb(
            name="enable",
            help="let Logic Apps fire",
            handler="logic_app:enable",
            positionals=(_NAMES,),
            options=(GROUP, DRY_RUN),
            body="names",
            examples=("%aml logic-app enable MyReactiveSchedule",),
        ),
        Verb(
            name="disable",
            help="stop Logic Apps; runs go on",
            handler="logic_app:disable",
            positionals=(_NAMES,),
            options=(GROUP, DRY_RUN),
            body="names",
            examples=("%aml logic-app disable MyReactiveSchedule",),
        ),
    ),
)
