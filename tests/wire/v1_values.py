"""Hypothesis strategies for the values of the model, as a workspace can really hold them."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from aml_magics.model.glance import Glance, LastFire, PastRun, Recent
from aml_magics.model.graph import Literal, PipelineDefinition, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.history import Health, History
from aml_magics.model.resources import (
    DataPath,
    DataPathParameter,
    Datastore,
    Experiment,
    Fire,
    Host,
    Missed,
    Outcome,
    Parameter,
    Pipeline,
    PipelineEndpoint,
    Poll,
    Run,
    RunStatus,
    Schedule,
    Status,
    Step,
    StepStatus,
    Submission,
)
from aml_magics.model.storage import CredentialKind
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence

text = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
ids = st.uuids().map(str)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
walls = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
numbers = st.integers(-(10**9), 10**9)
values = st.one_of(text, numbers, st.floats(allow_nan=False, allow_infinity=False), st.booleans())
paths = st.lists(words, min_size=0, max_size=3).map("/".join)
data_paths = st.builds(DataPath, words, paths)
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Lisbon",
        "GMT Standard Time",
        "America/Sao_Paulo",
        "Omsk Standard Time",
        "Antarctica/Troll",
        "UTC-11",
    ]
)
days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def maybe(strategy):
    return st.none() | strategy


def some_of(strategy):
    return st.lists(strategy, unique=True, max_size=3).map(lambda items: tuple(sorted(items)))


plain_recurrences = st.builds(
    Recurrence,
    frequency=st.sampled_from(["Second", "Minute", "Hour", "Day", "Week", "Month"]),
    interval=st.integers(1, 1000),
    start_time=maybe(walls),
    time_zone=zones,
)
daily_recurrences = st.builds(
    Recurrence,
    frequency=st.just("Day"),
    interval=st.integers(1, 9),
    start_time=maybe(walls),
    time_zone=zones,
    hours=some_of(st.integers(0, 23)),
    minutes=some_of(st.integers(0, 59)),
)
weekly_recurrences = st.builds(
    Recurrence,
    frequency=st.just("Week"),
    start_time=maybe(walls),
    time_zone=zones,
    hours=some_of(st.integers(0, 23)),
    week_days=some_of(st.sampled_from(days)),
)
recurrences = plain_recurrences | daily_recurrences | weekly_recurrences
crons = st.builds(
    Cron,
    expression=st.sampled_from(["*/15 * * * *", "0 6 * * 1-5", "30 4 1 * *"]),
    time_zone=zones,
    start_time=maybe(walls),
)


@st.composite
def filters(draw):
    """The options of a change that say what counts, as they may go together."""
    append_only = draw(st.booleans())
    kinds = ("added",) if append_only else ("added", "modified", "removed")
    on = draw(st.lists(st.sampled_from(kinds), unique=True, max_size=3).map(tuple))
    per = draw(st.sampled_from(["", "file", "batch"]))
    return {
        "pattern": draw(maybe(words.map("*.{}".format))),
        "min_size": 0 if "removed" in on else draw(st.integers(0, 10**12)),
        "on": on,
        "per": per,
        "max_runs_per_poll": draw(maybe(st.integers(1, 1000))) if per == "file" else None,
        "append_only": append_only,
    }


changes = st.builds(
    lambda chosen, **fields: DatastoreChange(**chosen, **fields),
    filters(),
    datastore=words,
    path_on_datastore=paths,
    polling_interval=st.sampled_from([1.0, 5.0, 0.25, 59.5, 60.0, 90.0, 300.0, 3600.0]).map(
        lambda seconds: timedelta(seconds=seconds)
    ),
    data_path_parameter_name=maybe(names),
    recursive=st.booleans(),
    settle=st.sampled_from([0.0, 0.5, 2.0]).map(lambda seconds: timedelta(seconds=seconds)),
)
triggers = recurrences | crons | changes

experiments = st.builds(Experiment, id=ids, name=words, description=text, created=maybe(moments))
datastores = st.builds(Datastore, name=words, folder=words.map("/data/".__add__), is_default=st.booleans()) | st.builds(
    Datastore,
    name=words,
    type=st.sampled_from(["AzureBlob", "AzureFile"]),
    account=words,
    container=maybe(words),
    url=words.map("http://127.0.0.1:10000/".__add__) | st.just("https://account.blob.core.windows.net"),
    credential=st.sampled_from(CredentialKind),
    is_default=st.booleans(),
)


@st.composite
def interfaces(draw):
    found = draw(st.lists(names, unique=True, max_size=5))
    cut = draw(st.integers(0, len(found)))
    parameters = tuple(Parameter(name, draw(values)) for name in found[:cut])
    return parameters, tuple(DataPathParameter(name, draw(maybe(data_paths))) for name in found[cut:])


@st.composite
def pipelines(draw):
    parameters, paths_of_it = draw(interfaces())
    return Pipeline(
        id=draw(ids),
        name=draw(text),
        description=draw(text),
        version=draw(text),
        status=draw(st.sampled_from(Status)),
        parameters=parameters,
        data_paths=paths_of_it,
        steps=tuple(draw(st.lists(names, unique=True, max_size=3))),
        endpoint=draw(text),
        continue_on_step_failure=draw(st.booleans()),
        graph_id=draw(ids),
        created=draw(maybe(moments)),
        modified=draw(maybe(moments)),
    )


submissions = st.builds(
    Submission,
    experiment_name=words,
    parameters=st.dictionaries(names, text, max_size=3),
    data_paths=st.dictionaries(names, data_paths, max_size=2),
    description=text,
    source=st.sampled_from(["HTTP", "SDK", "Schedule", "Portal"]),
    continue_on_step_failure=maybe(st.booleans()),
    parent_run_id=maybe(ids),
    schedule_id=maybe(ids),
)
endpoints = st.builds(
    PipelineEndpoint,
    id=ids,
    name=text,
    versions=st.lists(ids, unique=True, max_size=3).map(lambda found: {str(n): one for n, one in enumerate(found)}),
    default_version=st.sampled_from(["0", "1"]),
    description=text,
    status=st.sampled_from(Status),
    endpoint=text,
    created=maybe(moments),
    modified=maybe(moments),
)
targets = st.tuples(ids, st.just("")) | st.tuples(st.just(""), ids)  # a pipeline, or a pipeline endpoint
schedules = st.builds(
    lambda target, **fields: Schedule(pipeline_id=target[0], endpoint_id=target[1], **fields),
    target=targets,
    id=ids,
    name=text,
    trigger=triggers,
    experiment_name=words,
    description=text,
    status=st.sampled_from(Status),
    pipeline_parameters=st.dictionaries(names, text, max_size=3),
    data_paths=st.dictionaries(names, data_paths, max_size=2),
    continue_on_step_failure=maybe(st.booleans()),
    missed=st.sampled_from(Missed),
    host=st.sampled_from([Host.KERNEL, Host.SERVICE_V1]),
    created=maybe(moments),
    modified=maybe(moments),
)
runs = st.builds(
    Run,
    id=ids,
    experiment_name=words,
    pipeline_id=ids,
    status=st.sampled_from(RunStatus),
    status_detail=text,
    schedule_id=maybe(ids),
    description=text,
    source=st.sampled_from(["HTTP", "SDK", "Schedule", "Portal"]),
    parameters=st.dictionaries(names, text, max_size=3),
    data_paths=st.dictionaries(names.map("path_{}".format), data_paths, max_size=2),  # no parameter's name
    continue_on_step_failure=st.booleans(),
    created=maybe(moments),
    started=maybe(moments),
    ended=maybe(moments),
)
steps = st.builds(
    Step,
    id=names,
    run_id=ids,
    name=names,
    status=st.sampled_from(StepStatus),
    detail=text,
    exit_code=maybe(st.integers(-64, 255)),
    started=maybe(moments),
    ended=maybe(moments),
)
fires = st.builds(
    Fire,
    key=ids,
    schedule_id=ids,
    reason=st.sampled_from(["clock", "added", "modified", "removed"]),
    decided=moments,
    due=maybe(moments),
    objects=st.lists(text, max_size=3).map(tuple),
    outcome=st.sampled_from(Outcome),
    run_id=maybe(ids),
    detail=text,
)
polls = st.builds(
    Poll,
    at=moments,
    took=st.timedeltas(timedelta(0), timedelta(hours=1)),
    lateness=st.timedeltas(timedelta(0), timedelta(hours=1)),
    objects=st.integers(0, 10**6),
    added=st.integers(0, 99),
    modified=st.integers(0, 99),
    removed=st.integers(0, 99),
    matched=st.integers(0, 99),
    fired=st.integers(0, 99),
    error=text,
)

counts = st.integers(0, 10**6)
histories = st.builds(
    History,
    schedule_id=ids,
    active=st.booleans(),
    fires=st.lists(fires, max_size=2).map(tuple),
    polls=st.lists(polls, max_size=2).map(tuple),
    submitted=counts,
    missed=counts,
    refused=counts,
    looks=counts,
    added=counts,
    modified=counts,
    removed=counts,
    matched=counts,
    failed=counts,
    carried=counts,
    condition=text,
    waiting=st.lists(text, max_size=2).map(tuple),
    since=maybe(moments),
    next_due=maybe(moments),
)
healths = st.builds(
    Health,
    started=maybe(moments),
    schedules=counts,
    locations=counts,
    owners=counts,
    lateness_p50_ms=maybe(st.floats(0, 1000)),
    lateness_p99_ms=maybe(st.floats(0, 1000)),
    last_look=maybe(moments),
    poll_errors=st.lists(text, max_size=2).map(tuple),
    wakeup_errors=st.lists(text, max_size=2).map(tuple),
    errors=st.lists(text, max_size=2).map(tuple),
)

glances = st.builds(Glance, version=text, health=healths)
last_fires = st.builds(
    LastFire,
    decided=moments,
    reason=st.sampled_from(["clock", "added", "modified", "removed"]),
    outcome=st.sampled_from(Outcome),
    detail=text,
    run_id=maybe(ids),
    run_status=maybe(st.sampled_from(RunStatus)),
)
past_runs = st.builds(
    PastRun, id=ids, status=st.sampled_from(RunStatus), created=moments, seconds=maybe(st.floats(0, 1000))
)


@st.composite
def recents(draw):
    """What happened last, each step under its own run."""
    run_ids = draw(st.lists(ids, max_size=2, unique=True))
    step = {"id": ids, "name": words, "status": st.sampled_from(StepStatus), "detail": text, "started": maybe(moments)}
    step |= {"ended": maybe(moments), "exit_code": maybe(st.integers(-9, 255))}
    return Recent(
        fires=draw(st.dictionaries(ids, last_fires, max_size=2)),
        runs=draw(st.dictionaries(ids, st.lists(past_runs, max_size=2).map(tuple), max_size=2)),
        steps={one: tuple(draw(st.lists(st.builds(Step, run_id=st.just(one), **step), max_size=2))) for one in run_ids},
    )


@st.composite
def definitions(draw):
    """A pipeline whose later steps may take the outputs of earlier ones."""
    parameters, paths_of_it = draw(interfaces())
    inputs = [item.name for item in (*parameters, *paths_of_it)]
    made: list[StepDefinition] = []
    for index in range(draw(st.integers(1, 3))):
        bindings = [st.builds(Literal, values), data_paths]
        bindings += [st.builds(PipelineInput, st.sampled_from(inputs))] if inputs else []
        bindings += [st.just(StepOutput(step.name, step.outputs[0])) for step in made if step.outputs]
        made.append(
            StepDefinition(
                name=f"step-{index}",
                command=draw(st.sampled_from(["python train.py", "echo done"])),
                code=draw(st.dictionaries(words.map("{}.py".format), st.binary(max_size=20), max_size=2)),
                inputs=draw(st.dictionaries(names, st.one_of(bindings), max_size=3)),
                outputs=tuple(draw(st.lists(names, unique=True, max_size=2))),
                environment_variables=draw(st.dictionaries(st.just("MODE"), words, max_size=1)),
                timeout=draw(maybe(st.floats(0.5, 1000))),
            )
        )
    return PipelineDefinition(
        name=draw(words),
        description=draw(text),
        version=draw(words),
        parameters=parameters,
        data_paths=paths_of_it,
        steps=tuple(made),
        continue_on_step_failure=draw(st.booleans()),
    )
