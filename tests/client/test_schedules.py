"""``workspace.schedules``: what create makes, what it refuses, and that running a cell again makes no duplicate."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from aml_magics.client.schedule_plan import differences
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError
from aml_magics.model.resources import DataPath, Host, Schedule, Status
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence

EVERY = {"pipeline": "train", "experiment_name": "exp", "frequency": "Minute", "interval": 15}
CHANGE = {"pipeline": "score", "datastore": "workspaceblobstore", "data_path_parameter_name": "input_data"}


@pytest.fixture(autouse=True)
def pipelines(service):
    service.add_pipeline("train")
    service.add_data_pipeline("score")


def active_names(service):
    return sorted(entity["Name"] for entity in service.schedules.values() if entity["EntityStatus"] == "Active")


def test_a_recurrence_is_written_with_the_names_of_the_sdk(service, ws):
    made = ws.schedules.create(name="MyRecurringSchedule", description="Based on time", **EVERY)
    assert made.trigger == Recurrence(frequency="Minute", interval=15)
    assert (made.name, made.experiment_name, made.description) == ("MyRecurringSchedule", "exp", "Based on time")
    assert (made.status, made.host) == (Status.ACTIVE, Host.KERNEL)
    assert service.schedules[made.id]["Name"] == "MyRecurringSchedule"


@pytest.mark.parametrize(
    ("options", "trigger"),
    [
        ({"every": "15 minutes"}, Recurrence(frequency="Minute", interval=15)),
        ({"cron": "0 6 * * 1-5"}, Cron(expression="0 6 * * 1-5")),
        ({"trigger": Cron(expression="0 6 * * *")}, Cron(expression="0 6 * * *")),
        (
            {"datastore": "workspaceblobstore", "polling_interval": "5s"},
            DatastoreChange(datastore="workspaceblobstore", polling_interval=timedelta(seconds=5)),
        ),
        (
            {"datastore": "workspaceblobstore", "pattern": "*.csv", "min_size": "1 KiB", "on": "added"},
            DatastoreChange(datastore="workspaceblobstore", pattern="*.csv", min_size=1024, on=("added",)),
        ),
        (
            {"datastore": "workspaceblobstore", "append_only": True, "per": "file", "max_runs_per_poll": 2},
            DatastoreChange(datastore="workspaceblobstore", append_only=True, per="file", max_runs_per_poll=2),
        ),
    ],
)
def test_every_form_of_a_trigger_is_taken(ws, options, trigger):
    assert ws.schedules.create("s", pipeline="train", **options).trigger == trigger


def test_a_change_schedule_fills_in_its_data_path(service, ws):
    made = ws.schedules.create("MyReactiveSchedule", path_on_datastore="incoming", **CHANGE)
    assert made.trigger.data_path_parameter_name == "input_data"
    assert service.schedules[made.id]["DataStoreTriggerInfo"]["PathOnDataStore"] == "incoming"


def test_the_experiment_is_called_like_the_pipeline_unless_it_is_named(ws):
    assert ws.schedules.create("s", pipeline="train", every="hour").experiment_name == "train"


def test_values_and_data_paths_are_carried(ws):
    made = ws.schedules.create(
        "s",
        pipeline="score",
        every="hour",
        pipeline_parameters={"learning_rate": "0.5", "input_data": DataPath("workspaceblobstore", "x")},
    )
    assert made.pipeline_parameters == {"learning_rate": 0.5}
    assert made.data_paths == {"input_data": DataPath("workspaceblobstore", "x")}


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        (EVERY | {"frequency": "minuto"}, InvalidInput, "Minute"),
        (EVERY | {"frequncy": "Minute"}, InvalidInput, "Did you mean 'frequency'?"),
        (EVERY | {"pipline_parameters": {}}, InvalidInput, "Did you mean 'pipeline_parameters'?"),
        (EVERY | {"pipeline": "trian"}, NotFound, "Did you mean 'train'?"),
        (EVERY | {"pipeline_parameters": {"learning_rat": 1}}, InvalidInput, "Did you mean 'learning_rate'?"),
        (EVERY | {"pipeline_parameters": {"epochs": "many"}}, InvalidInput, "epochs"),
        (EVERY | {"experiment_name": "a b"}, InvalidInput, "experiment_name"),
        (EVERY | {"status": "Deprecated"}, InvalidInput, "status"),
        (EVERY | {"status": "of"}, InvalidInput, "status"),
        (EVERY | {"missed": "al"}, InvalidInput, "missed.*Did you mean 'all'?"),
        (EVERY | {"if_exists": "replce"}, InvalidInput, "Did you mean 'replace'?"),
        (EVERY | {"name": "  "}, InvalidInput, "name"),
        (EVERY | {"name": "two\nlines"}, InvalidInput, "name"),
        (EVERY | {"trigger": Cron(expression="0 6 * * *")}, InvalidInput, "one trigger"),
        ({"pipeline": "train", "trigger": "0 6 * * *"}, InvalidInput, "no trigger"),
        ({"pipeline": "train"}, InvalidInput, "no trigger"),
        ({"pipeline": "score", "every": "hour"}, InvalidInput, "needs the data path 'input_data'"),
        (CHANGE | {"datastore": "workspaceblobstor"}, NotFound, "Did you mean 'workspaceblobstore'?"),
        (CHANGE | {"data_path_parameter_name": "inputdata"}, InvalidInput, "Did you mean 'input_data'?"),
        (CHANGE | {"frequency": "Day"}, InvalidInput, "frequency"),
        (CHANGE | {"data_paths": {"input_data": "nowhere/x"}}, InvalidInput, "nowhere"),
        (CHANGE | {"data_paths": {"input_data": "workspaceblobstore/a//b"}}, InvalidInput, "'input_data'.*plain path"),
        (CHANGE | {"data_paths": {"input_data": "workspaceblobstore/../x"}}, InvalidInput, "'input_data'.*plain path"),
        (EVERY | {"pipeline_parameters": [1]}, InvalidInput, "pipeline_parameters: .*no mapping"),
        (EVERY | {"data_paths": [1]}, InvalidInput, "data_paths: .*no mapping"),
        (EVERY | {"description": 3}, InvalidInput, "^description: 3 is not text"),
        (EVERY | {"continue_on_step_failure": "yes"}, InvalidInput, "^continue_on_step_failure: 'yes' is neither"),
    ],
)
def test_every_mistake_is_one_line_and_nothing_is_made(service, ws, options, kind, words):
    for method in (ws.schedules.create, ws.schedules.plan):
        with pytest.raises(kind, match=words) as caught:
            method(**{"name": "s"} | options)
        assert "\n" not in str(caught.value)
    assert service.changes() == []


def test_a_disabled_pipeline_is_refused_with_the_way_out(service, ws):
    service.add_pipeline("old", status=Status.DISABLED)
    with pytest.raises(Conflict, match="enable old"):
        ws.schedules.create("s", pipeline="old", every="hour")
    assert service.changes() == []


def test_running_the_same_cell_again_makes_no_duplicate(service, ws):
    first = ws.schedules.create("s", pipeline_parameters={"learning_rate": 0.5}, **EVERY)
    again = ws.schedules.create("s", pipeline_parameters={"learning_rate": "0.50"}, **EVERY)
    assert again == first
    assert len(service.schedules) == 1


@pytest.mark.parametrize(
    "trigger",
    [
        Recurrence(frequency="Week", interval=2, time_zone="Europe/Lisbon", week_days=("Monday",), hours=(6, 18)),
        Recurrence(frequency="Second", interval=5),
        Cron(expression="*/7 * * * *", time_zone="America/Sao_Paulo"),
        DatastoreChange(datastore="workspaceblobstore", polling_interval=timedelta(seconds=90), recursive=True),
    ],
)
def test_every_trigger_is_known_again(service, ws, trigger):
    first = ws.schedules.create("s", pipeline="train", trigger=trigger)
    assert ws.schedules.create("s", pipeline="train", trigger=trigger) == first
    assert ws.schedules.plan("s", pipeline="train", trigger=trigger).action == "unchanged"


def test_another_definition_is_refused_and_the_differences_are_named(service, ws):
    ws.schedules.create("s", **EVERY)
    changed = EVERY | {"interval": 30, "pipeline_parameters": {"epochs": 9}, "description": "new"}
    with pytest.raises(Conflict) as caught:
        ws.schedules.create("s", **changed)
    for words in ("interval: 15 -> 30", "pipeline_parameters.epochs: none -> 9", "description: none -> new", "replace"):
        assert words in str(caught.value)
    assert len(service.schedules) == 1


def test_another_kind_of_trigger_is_told_in_words(ws):
    ws.schedules.create("s", **EVERY)
    with pytest.raises(Conflict, match=r"trigger: every 15 minutes -> cron 0 6 \* \* \*"):
        ws.schedules.create("s", pipeline="train", experiment_name="exp", cron="0 6 * * *")


def test_skip_returns_what_is_there(service, ws):
    first = ws.schedules.create("s", **EVERY)
    assert ws.schedules.create("s", if_exists="skip", **EVERY | {"interval": 30}) == first
    assert len(service.schedules) == 1


def test_replace_makes_the_new_one_before_it_disables_the_old_one(service, ws):
    old = ws.schedules.create("s", **EVERY)
    service.requests.clear()
    new = ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    assert service.changes() == ["POST /Schedules/Create", f"PUT /Schedules/{old.id}"]
    assert service.schedules[old.id]["EntityStatus"] == "Disabled"
    assert ws.schedules.get("s").id == new.id
    assert new.trigger.interval == 30


def test_a_replacement_that_cannot_be_made_leaves_the_old_one_alone(service, ws):
    old = ws.schedules.create("s", **EVERY)

    def intercept(request):
        return httpx.Response(500) if request.url.path.endswith("/Schedules/Create") else None

    service.intercept = intercept
    with pytest.raises(ServiceError):
        ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    assert service.schedules[old.id]["EntityStatus"] == "Active"


def test_a_replacement_whose_old_one_cannot_be_disabled_names_both(service, ws):
    old = ws.schedules.create("s", **EVERY)
    service.intercept = lambda request: httpx.Response(500) if request.method == "PUT" else None
    with pytest.raises(AmlError) as caught:
        ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    assert all(key in str(caught.value) for key in service.schedules)
    assert f"schedule disable {old.id}" in str(caught.value)


def test_a_replacement_that_was_interrupted_is_finished_by_the_next_one(service, ws):
    old = ws.schedules.create("s", **EVERY)
    service.intercept = lambda request: httpx.Response(500) if request.method == "PUT" else None
    with pytest.raises(AmlError):
        ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    service.intercept = lambda _request: None
    plan = ws.schedules.plan("s", if_exists="replace", **EVERY | {"interval": 30})
    assert (plan.action, [one.id for one in plan.existing]) == ("replace", [old.id])
    done = ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    assert len(service.schedules) == 2
    assert active_names(service) == ["s"]
    assert ws.schedules.get("s").id == done.id != old.id


def test_replace_disables_every_active_one_of_the_name(service, ws):
    first = ws.schedules.create("s", **EVERY)
    twin = dict(service.schedules[first.id]) | {"Id": "twin"}
    service.schedules["twin"] = twin
    ws.schedules.create("s", if_exists="replace", **EVERY | {"interval": 30})
    assert active_names(service) == ["s"]
    assert len(service.schedules) == 3


def test_a_name_whose_schedule_is_disabled_is_free(service, ws):
    old = ws.schedules.create("s", **EVERY)
    ws.schedules.disable("s")
    new = ws.schedules.create("s", **EVERY)
    assert new.id != old.id
    assert ws.schedules.get("s").id == new.id


def test_disabled_from_birth_is_found_again_disabled(service, ws):
    first = ws.schedules.create("s", status="disabled", **EVERY)
    assert first.status is Status.DISABLED
    assert ws.schedules.create("s", status="Disabled", **EVERY) == first
    assert len(service.schedules) == 1


def test_an_active_one_of_the_name_is_not_what_a_disabled_one_would_be(ws):
    ws.schedules.create("s", **EVERY)
    with pytest.raises(Conflict, match="status: Active -> Disabled"):
        ws.schedules.create("s", status="Disabled", **EVERY)


@pytest.mark.parametrize(
    ("if_exists", "interval", "action"), [("error", 15, "unchanged"), ("skip", 30, "skip"), ("replace", 30, "replace")]
)
def test_a_plan_says_what_would_happen_and_changes_nothing(service, ws, if_exists, interval, action):
    old = ws.schedules.create("s", **EVERY)
    service.requests.clear()
    plan = ws.schedules.plan("s", if_exists=if_exists, **EVERY | {"interval": interval})
    assert plan.action == action
    assert plan.existing == (old,)
    assert plan.pipeline.name == "train"
    assert plan.differences == (() if interval == 15 else ("interval: 15 -> 30",))
    assert plan.schedule.trigger.interval == (30 if action == "replace" else 15)
    assert service.changes() == []


def test_a_plan_of_a_new_schedule_has_everything_but_an_id(service, ws):
    plan = ws.schedules.plan("s", **EVERY)
    made = ws.schedules.create("s", **EVERY)
    assert plan.action == "create"
    assert plan.schedule == replace(made, id="", created=None, modified=None)


def test_disable_and_enable_give_the_new_state(service, ws):
    made = ws.schedules.create("s", **EVERY)
    (change,) = ws.schedules.disable("s")
    assert (change.value, change.was, change.changed) == (replace(made, status=Status.DISABLED), Status.ACTIVE, True)
    assert change.in_words() == "s: Active -> Disabled"
    (change,) = ws.schedules.enable(made)
    assert change.value == made


def test_disabling_twice_is_fine_and_said(service, ws):
    ws.schedules.create("s", **EVERY)
    ws.schedules.disable("s")
    service.requests.clear()
    (change,) = ws.schedules.disable("s")
    assert not change.changed
    assert change.in_words() == "s: Disabled already"
    assert service.changes() == []


def test_all_names_are_looked_up_before_the_first_one_is_changed(service, ws):
    ws.schedules.create("a", **EVERY)
    with pytest.raises(NotFound, match="'b'"):
        ws.schedules.disable("a", "b")
    assert active_names(service) == ["a"]


def test_a_schedule_named_twice_is_changed_once(service, ws):
    made = ws.schedules.create("a", **EVERY)
    assert [change.changed for change in ws.schedules.disable("a", made.id, made.id[:8])] == [True]


def test_nothing_to_disable_is_refused(ws):
    with pytest.raises(InvalidInput, match="no schedule is named"):
        ws.schedules.disable()


def test_two_active_ones_of_a_name_are_not_disabled_by_name(service, ws):
    made = ws.schedules.create("s", **EVERY)
    service.schedules["twin-of-it"] = dict(service.schedules[made.id]) | {"Id": "twin-of-it"}
    with pytest.raises(InvalidInput, match="2 active schedules are called 's'") as caught:
        ws.schedules.disable("s")
    assert made.id in str(caught.value)
    assert "twin-of-it" in str(caught.value)
    assert [change.value.id for change in ws.schedules.disable("twin-of-it")] == ["twin-of-it"]


def test_lists_are_newest_first_and_active_unless_told_otherwise(ws):
    for name in ("a", "b", "c"):
        ws.schedules.create(name, **EVERY)
    ws.schedules.disable("b")
    assert [one.name for one in ws.schedules.list()] == ["c", "a"]
    assert [one.name for one in ws.schedules.list(active_only=False)] == ["c", "b", "a"]
    assert ws.schedules.list(pipeline="score") == []
    with pytest.raises(NotFound):
        ws.schedules.list(pipeline="trian")


def test_a_pipelines_name_covers_the_schedules_of_every_publication_of_it(service, ws):
    first = ws.schedules.create("a", **EVERY)
    again = service.add_pipeline("train")
    ws.schedules.create("b", **EVERY)
    ws.schedules.create("c", **EVERY)
    ws.schedules.disable("c")
    assert [one.name for one in ws.schedules.list(pipeline="train")] == ["b", "a"]
    assert [one.name for one in ws.schedules.list(pipeline="train", active_only=False)] == ["c", "b", "a"]
    assert [one.name for one in ws.schedules.list(pipeline=again.id)] == ["b"]
    assert [one.name for one in ws.schedules.list(pipeline=again)] == ["b"]
    assert [one.name for one in ws.schedules.list(pipeline=first.pipeline_id)] == ["a"]
    assert ws.schedules.list(pipeline="score") == []


def test_a_pipeline_that_was_published_again_is_told_in_words(service, ws):
    old = ws.schedules.create("s", **EVERY)
    service.add_pipeline("train")
    with pytest.raises(Conflict) as caught:
        ws.schedules.create("s", **EVERY)
    assert "pipeline 'train' was published again since" in str(caught.value)
    assert "if_exists='replace'" in str(caught.value)
    assert "--if-exists replace" in str(caught.value)
    assert old.pipeline_id not in str(caught.value)
    replaced = ws.schedules.create("s", if_exists="replace", **EVERY)
    assert replaced.pipeline_id != old.pipeline_id


def test_another_pipeline_is_told_by_its_name_and_an_older_publication_is_not_called_newer(service, ws):
    old = ws.schedules.create("s", **EVERY)
    service.add_pipeline("other")
    plan = ws.schedules.plan("s", if_exists="replace", **EVERY | {"pipeline": "other"})
    assert plan.differences == ("pipeline: train -> other",)
    service.add_pipeline("train")
    ws.schedules.create("t", **EVERY)
    plan = ws.schedules.plan("t", if_exists="replace", **EVERY | {"pipeline": old.pipeline_id})
    assert plan.differences[0].startswith("another publication of pipeline 'train'")


def test_runs_of_a_schedule_are_newest_first_and_the_last_one_may_be_none(service, ws):
    made = ws.schedules.create("s", **EVERY)
    assert ws.schedules.last_run("s") is None
    pipeline = next(iter(service.pipelines.values()))
    runs = [service.add_run(pipeline, schedule_id=made.id, source="Schedule") for _ in range(3)]
    assert [run.id for run in ws.schedules.runs("s")] == [run.id for run in reversed(runs)]
    assert ws.schedules.last_run(made).id == runs[-1].id


def test_a_zone_that_travels_under_another_name_is_no_difference_on_azure(azure, azure_ws):
    azure.add_pipeline("train")
    options = {"pipeline": "train", "frequency": "Day", "hours": [6], "time_zone": "Europe/Lisbon"}
    first = azure_ws.schedules.create("s", **options)
    assert azure_ws.schedules.create("s", **options).id == first.id
    assert len(azure.schedules) == 1


def test_what_azure_cannot_host_is_refused_by_name_in_a_plan_too(azure, azure_ws):
    azure.add_pipeline("train")
    for options in ({"cron": "0 6 * * *"}, {"frequency": "Second", "interval": 5}):
        with pytest.raises(InvalidInput, match="Azure"):
            azure_ws.schedules.plan("s", pipeline="train", **options)
    assert azure.changes() == []


def test_equal_schedules_have_no_differences_and_ids_and_dates_do_not_count():
    schedule = Schedule(id="a", name="s", trigger=Recurrence(frequency="Day"), pipeline_id="p", experiment_name="e")
    assert differences(schedule, replace(schedule, id="b")) == ()
    assert differences(schedule, replace(schedule, pipeline_id="q")) == ("pipeline_id: p -> q",)


def test_a_schedule_on_an_endpoint_is_read_without_asking_for_a_pipeline(service, ws):
    endpoint = service.add_endpoint("prod", service.add_pipeline("train"))
    service.add_schedule("s", endpoint)
    service.requests.clear()
    (found,) = ws.schedules.list()
    assert (found.pipeline_id, found.endpoint_id) == ("", endpoint.id)
    assert service.calls() == ["GET /Schedules"]


def test_a_pipelines_schedules_are_those_too_on_an_endpoint_of_which_it_is_the_default_version(service, ws):
    before, now = service.add_pipeline("train"), service.add_pipeline("train")
    service.add_schedule("s", service.add_endpoint("prod", before, now))
    own = ws.schedules.create("own", **EVERY)
    assert own.pipeline_id == now.id
    assert [one.name for one in ws.schedules.list(pipeline=now)] == ["own", "s"]
    assert ws.schedules.list(pipeline=before) == []
    assert [one.name for one in ws.schedules.list(pipeline="train")] == ["own", "s"]
    assert ws.schedules.list(pipeline="score") == []


def test_a_schedule_of_that_name_on_an_endpoint_differs_and_is_replaced(service, ws):
    pipeline = service.add_pipeline("train")
    endpoint = service.add_endpoint("prod", pipeline)
    old = service.add_schedule("s", endpoint)
    with pytest.raises(Conflict, match=f"is there and differs: .*endpoint_id: {endpoint.id} -> none"):
        ws.schedules.create("s", **EVERY | {"pipeline": pipeline})
    assert ws.schedules.create("s", if_exists="skip", **EVERY | {"pipeline": pipeline}).id == old.id
    new = ws.schedules.create("s", if_exists="replace", **EVERY | {"pipeline": pipeline})
    assert (new.pipeline_id, new.endpoint_id) == (pipeline.id, "")
    assert service.schedules[old.id]["EntityStatus"] == "Disabled"
