"""``%aml export``: the keys of a schedule, and those that only its exports can have."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.schedule import SCHEDULE_OPTIONS

__all__ = ["EXPORTS"]

# What is exported is off until it is turned on there.
_OPTIONS = tuple(option for option in SCHEDULE_OPTIONS if option.name != "status")
_NAME = Positional(
    name="NAME",
    help="a schedule; or, with a pipeline in the cell, the name of what is made",
    read=values.reference,
    completes="schedule",
    required=False,
)
_FILES = (
    Option(
        name="to", value="FOLDER", completes="file", help="where the files go; default: NAME-logic-app and the like"
    ),
    Option(name="force", help="overwrite the files of a folder that is there"),
    Option(name="print", help="show the template and write nothing"),
)
_BEYOND = (
    Option(
        name="folders", value="PATH,PATH", read=values.items, help="several folders of the datastore, instead of one"
    ),
    Option(name="window", value="HH:MM-HH:MM", help="only at these times of the day"),
    Option(
        name="window-days", value="DAY,DAY", read=values.items, completes="week_day", help="only on these week days"
    ),
    Option(name="window-time-zone", value="ZONE", completes="time_zone", help="of the window; default UTC"),
    Option(
        name="concurrency", value="N", read=values.scalar, help="at most this many runs at a time; default: no limit"
    ),
    Option(
        name="pipeline-endpoint",
        value="NAME|ID",
        read=values.reference,
        help="a pipeline endpoint instead of a pipeline",
    ),
)
_BY_CHANGE = """\
%%aml export logic-app MyReactiveSchedule
pipeline: train
experiment_name: MyExperiment
datastore: workspaceblobstore
folders: [incoming, late]
pattern: '*.csv'
data_path_parameter_name: input_data
window: 08:00-18:00
window_days: [Monday, Tuesday, Wednesday, Thursday, Friday]
window_time_zone: Europe/Lisbon
only_after: clean"""
_V2 = """\
%%aml export data-factory Nightly --factory my-factory
pipeline: train
batch_endpoint: my-endpoint
every: day
time_of_day: 02:00"""
_DETAILS = (
    "Without a pipeline it is the schedule of that name, and what the line and the cell say counts instead of its own; "
    "with one they say it whole, with the keys of schedule create. The schedule itself is not changed."
)

EXPORTS = Noun(
    name="export",
    help="a schedule as a Logic App or a Data Factory pipeline, in files to deploy",
    verbs=(
        Verb(
            name="logic-app",
            help="a trigger and an HTTP action, as in the article, with conditions",
            handler="export:logic_app",
            positionals=(_NAME,),
            options=(
                *_FILES,
                *_OPTIONS,
                *_BEYOND,
                Option(
                    name="only-after",
                    value="NAME|ID",
                    read=values.reference,
                    completes="pipeline",
                    help="only when the newest run of this other pipeline succeeded",
                ),
            ),
            body="yaml",
            details=_DETAILS,
            examples=("%aml export logic-app MyReactiveSchedule", _BY_CHANGE),
        ),
        Verb(
            name="data-factory",
            help="a pipeline that runs the pipeline as its activity, with its trigger",
            handler="export:data_factory",
            positionals=(_NAME,),
            options=(
                *_FILES,
                *_OPTIONS,
                *_BEYOND,
                Option(name="factory", value="NAME", help="the data factory that it is for, which is there already"),
                Option(
                    name="endpoint-version",
                    value="VERSION",
                    help="the version of the pipeline endpoint that runs; default: its default one",
                ),
                Option(
                    name="batch-endpoint", value="NAME", help="v2: start jobs of this batch endpoint, by Web activities"
                ),
            ),
            body="yaml",
            details=_DETAILS,
            examples=("%aml export data-factory MyReactiveSchedule --factory my-factory", _V2),
        ),
    ),
)
