"""``%aml schedule``: the trigger's options are the keys of a cell's YAML body too."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import (
    ALL,
    CONTINUE,
    DRY_RUN,
    EXPERIMENT,
    FREQUENCIES,
    LIMIT,
    PIPELINE,
    named,
    parameters,
)

__all__ = ["SCHEDULES", "SCHEDULE_OPTIONS"]

_BY_TIME = """\
%%aml schedule create MyRecurringSchedule
pipeline: train
experiment_name: MyExperiment
frequency: Minute
interval: 15
description: Based on time"""
_BY_CHANGE = """\
%%aml schedule create MyReactiveSchedule
pipeline: train
experiment_name: MyExperiment
datastore: workspaceblobstore
path_on_datastore: incoming
polling_interval: 5
data_path_parameter_name: input_data"""

_TRIGGER = (
    Option(
        name="every",
        value="SPAN",
        read=values.anything,
        help="a whole trigger in words: '15 minutes', 'day', '2 weeks'",
    ),
    Option(
        name="frequency",
        value="UNIT",
        completes="frequency",
        help=f"{', '.join(FREQUENCIES)} (Second: this kernel only)",
    ),
    Option(name="interval", value="N", read=values.scalar, help="how many units of the frequency between two fires"),
    Option(name="start-time", value="TIME", read=values.anything, help="wall clock in the time zone: 2026-11-23T06:30"),
    Option(name="time-zone", value="ZONE", completes="time_zone", help="a Windows or IANA name; default UTC"),
    Option(name="hours", value="H,H", read=values.items, help="hours of the day; with Day or Week"),
    Option(name="minutes", value="M,M", read=values.items, help="minutes of the hour; with Day or Week"),
    Option(
        name="week-days", value="DAY,DAY", read=values.items, completes="week_day", help="days of the week; with Week"
    ),
    Option(
        name="time-of-day", value="HH:MM", read=values.anything, help="one time of day, instead of hours and minutes"
    ),
    Option(name="cron", value="'M H D M W'", help="five fields, as in '*/15 * * * *'"),
    Option(
        name="datastore",
        value="NAME",
        read=values.reference,
        completes="datastore",
        help="fire when objects change here",
    ),
    Option(name="path-on-datastore", value="PATH", aliases=("--path",), help="only in this folder of the datastore"),
    Option(
        name="polling-interval",
        value="MINUTES",
        read=values.scalar,
        help="minutes between two looks, or '5s'; default 5",
    ),
    Option(name="data-path-parameter-name", value="NAME", help="the data path parameter that gets the changed object"),
    Option(name="recursive", help="sub-folders too"),
    Option(
        name="per",
        value="WHAT",
        completes="per",
        help="one run per file or per batch; default file with a data path parameter, else batch",
    ),
    Option(
        name="settle",
        value="SPAN",
        read=values.scalar,
        help="how long an object must stay unchanged: 2s; default 0.5 s",
    ),
    Option(
        name="pattern",
        value="PATTERN",
        help="only objects called so: '*.csv'; with a / the whole name below the path, else its last part",
    ),
    Option(name="min-size", value="SIZE", read=values.scalar, help="only objects of at least 10 KB, 1 MiB, ..."),
    Option(
        name="on",
        value="KIND,KIND",
        read=values.items,
        completes="kind",
        help="added, modified, removed; default added and modified. A removed object's path is its data path",
    ),
    Option(
        name="max-runs-per-poll",
        value="N",
        read=values.scalar,
        help="with one run per file: the rest waits for the next look, the oldest first",
    ),
    Option(name="append-only", help="objects are only added, and their names sort after those that are there"),
)
SCHEDULE_OPTIONS = (
    PIPELINE,
    EXPERIMENT,
    Option(name="description", value="TEXT", help="what it is for"),
    *_TRIGGER,
    *parameters("of the runs"),
    CONTINUE,
    Option(name="status", value="STATUS", choices=("Active", "Disabled"), help="Disabled: inactive from birth"),
    Option(
        name="missed",
        value="POLICY",
        choices=("skip", "once", "all"),
        help="times that fell due while no kernel was there; default skip",
    ),
)
_NEXT = Option(name="count", value="N", read=values.whole_number, aliases=("-n",), help="how many fires; default 5")


SCHEDULES = Noun(
    name="schedule",
    help="what starts pipelines: by time or by change of data",
    verbs=(
        Verb(
            name="create",
            help="bind a pipeline, an experiment and a trigger together",
            handler="schedule:create",
            positionals=(Positional(name="NAME", help="the schedule's name", required=False),),
            options=(
                *SCHEDULE_OPTIONS,
                Option(
                    name="if-exists",
                    value="WHAT",
                    choices=("error", "replace", "skip"),
                    help="when an active schedule of that name differs; default error",
                ),
                DRY_RUN,
            ),
            body="yaml",
            details=(
                "Every option may stand in the body instead, one `key: value` a line, with _ for -; parameters as "
                "mappings pipeline_parameters and data_paths. Running the same cell again changes nothing."
            ),
            examples=(
                _BY_TIME,
                "%aml schedule create Nightly --pipeline train --experiment Night --every day --time-of-day 06:30",
                _BY_CHANGE,
            ),
        ),
        Verb(
            name="new",
            help="open a form that makes a schedule and shows the magic that does the same",
            handler="schedule_form:new",
            positionals=(Positional(name="NAME", help="the name to begin with", required=False),),
            options=(PIPELINE,),
            details="The form shows the next five fires and what to know about them before anything is made.",
            examples=("%aml schedule new", "%aml schedule new Nightly --pipeline train"),
        ),
        Verb(
            name="list",
            help="the active schedules, with their next fire; on Azure the Logic Apps and data factories too",
            handler="schedule:list_all",
            options=(ALL, PIPELINE),
            examples=("%aml schedule list", "df = %aml schedule list --all"),
        ),
        Verb(
            name="show",
            help="one schedule: its trigger, next fires and last runs",
            handler="schedule:show",
            positionals=(named("schedule"),),
            examples=("%aml schedule show MyRecurringSchedule",),
        ),
        Verb(
            name="runs",
            help="the runs that a schedule started",
            handler="schedule:runs",
            positionals=(named("schedule"),),
            examples=("%aml schedule runs MyRecurringSchedule",),
        ),
        Verb(
            name="preview",
            help="when a schedule will fire; or what the trigger in the cell would do, making nothing",
            handler="schedule:preview",
            positionals=(named("schedule", required=False),),
            options=(*SCHEDULE_OPTIONS, _NEXT),
            body="yaml",
            examples=(
                "%aml schedule preview MyRecurringSchedule -n 10",
                "%aml schedule preview --cron '0 6 * * 1-5' --time-zone Europe/Lisbon",
                "%%aml schedule preview\nfrequency: Week\nweek_days: [Monday]\ntime_of_day: 06:30",
            ),
        ),
        Verb(
            name="timeline",
            help="what ran and what will fire, over all schedules, in one picture",
            handler="schedule_timeline:timeline",
            options=(
                Option(name="hours", value="N", read=values.whole_number, help="how far ahead and back; default 24"),
                Option(name="days", value="N", read=values.whole_number, help="the same in days"),
            ),
            details=(
                "Left of now are the runs, right of it the fires to come, one row a schedule, in the display zone. "
                "Minutes in which several schedules fire are marked, and listed below."
            ),
            examples=("%aml schedule timeline", "%aml schedule timeline --days 7"),
        ),
        Verb(
            name="history",
            help="did it fire, and if not, why",
            handler="schedule:history",
            positionals=(named("schedule"),),
            options=(LIMIT,),
            examples=("%aml schedule history MyReactiveSchedule",),
        ),
        Verb(
            name="disable",
            help="stop schedules",
            handler="schedule:disable",
            positionals=(named("schedule", many=True, required=False),),
            options=(DRY_RUN,),
            body="names",
            examples=(
                "%aml schedule disable MyRecurringSchedule",
                "%%aml schedule disable\nMyRecurringSchedule\nMyReactiveSchedule",
            ),
        ),
        Verb(
            name="enable",
            help="let schedules fire again",
            handler="schedule:enable",
            positionals=(named("schedule", many=True, required=False),),
            options=(DRY_RUN,),
            body="names",
            examples=("%aml schedule enable MyRecurringSchedule",),
        ),
    ),
)
