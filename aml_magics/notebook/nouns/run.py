"""``%aml run``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN, LIMIT, PIPELINE

_RUN = Positional(
    name="RUN",
    help="a run's id, its first four characters or more, or the name of a schedule or pipeline: its newest run",
    read=values.reference,
    completes="run",
)

RUNS = Noun(
    name="run",
    help="runs of pipelines",
    verbs=(
        Verb(
            name="list",
            help="the newest runs",
            handler="run:list_all",
            options=(
                PIPELINE,
                Option(
                    name="schedule",
                    value="NAME|ID",
                    read=values.reference,
                    completes="schedule",
                    help="only runs that it started",
                ),
                Option(
                    name="experiment-name",
                    value="NAME",
                    read=values.reference,
                    aliases=("--experiment",),
                    completes="experiment",
                    help="only runs of this experiment",
                ),
                LIMIT,
            ),
            examples=("%aml run list", "runs = %aml run list --pipeline train --limit 100"),
        ),
        Verb(
            name="show",
            help="one run: its steps and times",
            handler="run:show",
            positionals=(_RUN,),
            examples=("%aml run show MyRecurringSchedule",),
        ),
        Verb(
            name="logs",
            help="what the steps of a run wrote",
            handler="run:logs",
            positionals=(_RUN,),
            options=(
                Option(name="step", value="NAME", help="only this step"),
                Option(
                    name="follow",
                    aliases=("-f",),
                    help="go on until the run ends (interrupting stops only the following)",
                ),
            ),
            details=(
                "The value is a text with all of it; of a very long one the end is shown. The log of a step that wrote "
                "more than 10 MiB comes as its last 10 MiB."
            ),
            examples=("%aml run logs train --follow", "text = %aml run logs train"),
        ),
        Verb(
            name="wait",
            help="wait until a run has ended, the first of a schedule too; a failed run is an error",
            handler="run:wait",
            positionals=(_RUN,),
            options=(
                Option(name="timeout", value="SECONDS", read=values.seconds, help="at most this long: 90, '5 minutes'"),
                Option(name="no-raise", help="return a failed run instead of raising an error"),
            ),
            examples=("%aml run wait train --timeout 60",),
        ),
        Verb(
            name="cancel",
            help="end a run",
            handler="run:cancel",
            positionals=(
                Positional(
                    name="RUN",
                    help="the run's id, or its first four characters or more",
                    read=values.reference,
                    completes="run",
                ),
            ),
            options=(DRY_RUN,),
            examples=("%aml run cancel 3f2a",),
        ),
    ),
)
