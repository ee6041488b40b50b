"""What Azure writes about Logic Apps, data factories and deployments, read: in Microsoft's shapes, and in others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Status
from aml_magics.wire.arm_deployments import changes_from, deployment_from, deployment_to, failed_operations_from
from aml_magics.wire.arm_errors import reasons, told_in_full
from aml_magics.wire.arm_factory import activity_from, pipeline_from, query_to, trigger_from, trigger_run_from
from aml_magics.wire.arm_logic import action_from, check_from, logic_app_from
from aml_magics.wire.hosted_words import ml_run_id, recurrence_in_words, started_id, starts_in

URL = "https://westeurope.api.azureml.ms/pipelines/v1.0/subscriptions/s/PipelineRuns/PipelineSubmit/p-1"
KEY = f"AccountKey={'a' * 86}=="


def test_the_reasons_are_the_innermost_ones_each_once_and_without_secrets():
    error = {
        "code": "DeploymentFailed",
        "message": "See details.",
        "details": [
            {"code": "Conflict", "message": '{"error": {"code": "x", "message": "the name\\nis taken"}}'},
            {"code": "Conflict", "message": "outer", "details": [{"code": "y", "message": "the name is taken"}]},
            {"code": "OnlyACode", "details": [{}]},
            {"code": "z", "message": f"cannot use {KEY}"},
        ],
    }
    assert reasons(error) == ["the name is taken", "OnlyACode", "cannot use AccountKey=***"]
    assert told_in_full({"error": {"message": "a", "details": [{"message": str(n)} for n in range(5)]}}) == (
        "0; 1; 2; and 2 more"
    )


@pytest.mark.parametrize("answer", [None, "text", [], {}, {"error": "text"}, {"error": {"details": 3}}])
def test_what_is_no_error_has_no_reasons(answer):
    assert told_in_full(answer) == ""


def test_errors_in_errors_have_an_end():
    error: dict[str, object] = {"message": "deep"}
    for _ in range(50):
        error = {"message": "", "details": [error]}
    assert reasons(error) == []


def test_a_deployment_is_written_and_read():
    body = deployment_to({"resources": []}, {"a": 1})
    assert body == {
        "properties": {"mode": "Incremental", "template": {"resources": []}, "parameters": {"a": {"value": 1}}}
    }
    properties = {
        "provisioningState": "Running",
        "correlationId": "c",
        "outputs": {"id": {"type": "String", "value": 7}},
    }
    found = deployment_from({"name": "d", "properties": properties})
    assert (found.has_ended, found.correlation, found.outputs) == (False, "c", {"id": 7})


def test_operations_that_failed_name_their_resource():
    def failed(message: object, **target: str) -> dict[str, object]:
        return {"properties": {"provisioningState": "Failed", "targetResource": target, "statusMessage": message}}

    found = failed_operations_from(
        [
            {"properties": {"provisioningState": "Succeeded"}},
            failed({"error": {"message": "no"}}, resourceType="Microsoft.Web/connections", resourceName="c"),
            failed("plain text", resourceType="Microsoft.Logic/workflows", resourceName="w"),
            failed(None),
        ]
    )
    assert found == ["connections 'c': no", "workflows 'w': plain text", "no reason is given"]


def test_changes_are_told_by_their_innermost_differences():
    delta = [
        {"path": "properties", "propertyChangeType": "Modify", "children": [
            {"path": "state", "propertyChangeType": "Modify", "before": "Enabled", "after": "Disabled"},
            {"path": "provisioningState", "propertyChangeType": "Delete", "before": "Succeeded"},
            {"path": "key", "propertyChangeType": "Create", "after": KEY},
            {"path": "same", "propertyChangeType": "NoEffect", "after": 1},
        ]},
    ]  # fmt: skip
    id_ = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f/triggers/t"
    (change,) = changes_from({"properties": {"changes": [{"resourceId": id_, "changeType": "Modify", "delta": delta}]}})
    assert (change.kind, change.name) == ("Microsoft.DataFactory/factories/triggers", "f/t")
    assert change.differences == (
        "properties.state: 'Enabled' -> 'Disabled'",
        "properties.key: nothing -> 'AccountKey=***'",
    )


def test_a_workflow_tells_when_it_looks_and_what_it_starts_at_any_depth():
    post = {"type": "Http", "inputs": {"method": "POST", "uri": URL}}
    definition = {
        "triggers": {
            "t": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1,
                  "schedule": {"hours": [6], "minutes": [30]}, "timeZone": "Romance Standard Time"}},
            "h": {"type": "Request"},
        },
        "actions": {"if": {"type": "If", "actions": {}, "else": {"actions": {"switch": {"type": "Switch",
                    "cases": {"c": {"actions": {"Run": post}}}, "default": {"actions": {"mail": {"type": "Http"}}}}}}}},
    }  # fmt: skip
    app = logic_app_from({"id": "/x", "name": "w", "properties": {"state": "Enabled", "definition": definition}})
    assert app.status is Status.ACTIVE
    assert app.triggers == {"t": "every day at 06:30 (Romance Standard Time)", "h": "Request"}
    assert (app.starts, app.submits) == ((URL,), ("Run",))


@pytest.mark.parametrize("state", ["Disabled", "Suspended", "Deleted", ""])
def test_only_an_enabled_workflow_is_active(state):
    app = logic_app_from({"id": "/x", "name": "w", "properties": {"state": state}})
    assert app.status is Status.DISABLED


def test_a_workflow_without_a_name_is_refused_by_name():
    with pytest.raises(InvalidInput, match=r"workflow\.name"):
        logic_app_from({"id": "/x", "properties": {}})


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"status": "Skipped", "fired": False, "code": "Accepted"}, "it looked and found nothing that fires it"),
        ({"status": "Failed", "fired": False, "code": "BadGateway"}, "failed badgateway"),
        ({"status": "Failed", "error": {"code": "c", "message": "a\nb"}}, "a b"),
        ({"status": "Throttled", "fired": False}, "the service held it back: too many calls"),
        ({"status": "Succeeded", "fired": True}, ""),
    ],
)
def test_a_check_says_why_it_did_not_fire(properties, reason):
    assert check_from({"properties": properties}, "t").reason == reason


def test_seven_digits_of_a_second_are_read():
    check = check_from({"properties": {"startTime": "2026-11-27T06:30:00.1234567Z"}}, "t")
    assert check.at == datetime(2026, 11, 27, 6, 30, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ({"statusCode": 403, "body": {"Error": {"Code": "x", "Message": "no right"}}}, "403 no right"),
        ({"statusCode": 404, "body": "not\nhere"}, "404 not here"),
        ({"statusCode": 500}, "500"),
        (None, "An action failed."),
    ],
)
def test_a_failed_action_says_what_the_other_side_answered(output, error):
    properties = {"status": "Failed", "error": {"message": "An action failed."}}
    assert action_from({"name": "Run", "properties": properties}, output).error == error


def test_a_factory_pipeline_tells_its_parameters_and_what_it_starts():
    run = {"name": "r", "type": "AzureMLExecutePipeline", "typeProperties": {"mlPipelineId": "p-1"}}
    inner = {"name": "if", "type": "IfCondition", "typeProperties": {"ifTrueActivities": [run]}}
    parameters = {"a": {"type": "String"}, "b": {"type": "Int", "defaultValue": 3}}
    properties = {"activities": [inner], "parameters": parameters}
    found = pipeline_from({"id": "/x", "name": "p", "properties": properties}, "f")
    assert (found.starts, found.activities) == (("p-1",), ("if (IfCondition)",))
    assert (dict(found.parameters), dict(found.defaults)) == ({"a": "String", "b": "Int"}, {"b": 3})


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("ScheduleTrigger", {"recurrence": {"frequency": "Week", "interval": 2, "schedule": {"weekDays": ["Monday"],
         "hours": [6, 7], "minutes": [0]}}}, "every 2 weeks on Monday at 06:00, 07:00"),
        ("TumblingWindowTrigger", {"frequency": "Hour", "interval": 1}, "windows, every hour"),
        ("BlobEventsTrigger", {"events": ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"],
         "blobPathBeginsWith": "/c/blobs/in", "blobPathEndsWith": ".csv"},
         "blobs created or deleted in /c/blobs/in*.csv"),
        ("CustomEventsTrigger", {}, "CustomEventsTrigger"),
        ("ScheduleTrigger", {"recurrence": {"frequency": "Never"}}, "ScheduleTrigger"),
    ],
)  # fmt: skip
def test_a_factory_trigger_in_words(kind, properties, words):
    reference = {"pipelineReference": {"referenceName": "p"}}
    one = {"pipeline": reference} if kind.startswith("Tumbling") else {"pipelines": [reference]}
    answer = {"type": kind, "typeProperties": properties, "runtimeState": "Started", **one}
    found = trigger_from({"id": "/x", "name": "t", "properties": answer}, "f")
    assert (found.trigger, found.pipelines, found.status) == (words, ("p",), Status.ACTIVE)


def test_a_query_for_runs_says_from_when_and_in_which_order():
    since, until = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    assert query_to(since, until, filters=[]) == {
        "lastUpdatedAfter": "2026-11-01T00:00:00.000000Z",
        "lastUpdatedBefore": "2026-11-02T00:00:00.000000Z",
    }
    full = query_to(since, until, filters=[("PipelineName", "p")], newest_by="RunStart", token="t")
    assert full["filters"] == [{"operand": "PipelineName", "operator": "Equals", "values": ["p"]}]
    assert full["orderBy"] == [{"orderBy": "RunStart", "order": "DESC"}]
    assert full["continuationToken"] == "t"


def test_runs_of_triggers_and_activities_are_struck_clean():
    check = trigger_run_from({"triggerName": "t", "status": "Failed", "message": f"with {KEY}\nnot"})
    assert (check.fired, check.reason) == (False, "with AccountKey=*** not")
    work = activity_from({"activityName": "a", "activityType": "Wait", "error": {"message": f"{KEY} no"}})
    assert work.error == "AccountKey=*** no"
    assert activity_from({"activityName": "a", "error": {"message": "", "errorCode": ""}}).error == ""


def test_ids_of_runs_are_found_where_services_put_them():
    assert ml_run_id({"Id": "a", "RunNumber": 1}) == "a"
    assert ml_run_id({"runId": "b"}) == "b"
    assert ml_run_id({"Id": 3}) == ml_run_id(None) == ml_run_id("text") == ""
    assert list(starts_in({"url": URL.replace("PipelineSubmit", "PipelineEndpointSubmit/Id")})) != []
    assert list(starts_in({"uri": "https://e.westeurope.inference.ml.azure.com/jobs"})) != []
    assert list(starts_in({"uri": "https://example.org/jobs"})) == []
    assert (started_id(URL), started_id("p-1")) == ("p-1", "p-1")
    assert started_id("https://e.westeurope.inference.ml.azure.com/jobs") == "e.westeurope.inference.ml.azure.com"
    assert recurrence_in_words({"frequency": "Minute", "interval": 5}) == "every 5 minutes"
