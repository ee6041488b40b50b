"""Exports against Microsoft's schemas and our rules: they pass, and thirty-odd ways to spoil one are noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from aml_magics.export.check import check_definition, problems_of
from aml_magics.export.definitions import DataFactoryDefinition, LogicAppDefinition, definition_from
from aml_magics.export.logic_app import BLOB_TRIGGER
from aml_magics.export.source import Conditions, Export, Source, Window
from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Missed
from aml_magics.model.triggers import Cron, Recurrence
from tests.support.azure_validation import against
from tests.support.exports import EVERY_QUARTER, PLACE, WORKDAYS, change, data_factory, embedded, logic_app, on_azure

WINDOW = Window(begin=8 * 60, end=18 * 60, days=("Monday", "Friday"), time_zone="W. Europe Standard Time")
AFTER = Conditions(after="clean data", after_runs="https://x/PipelineRuns/Pipeline/p2")
SHARED: dict[str, Source] = {
    "the article's": on_azure(),
    "a folder, a run a file, all conditions": on_azure(
        change(path_on_datastore="in/new", pattern="sales-*.csv", min_size=1),
        conditions=Conditions(window=WINDOW, concurrency=2),
    ),
    "several folders, one run a poll": on_azure(
        change(per="batch", pattern="*.csv", min_size=10), conditions=Conditions(folders=("a", "b/c"))
    ),
    "nothing known of Azure": embedded(),
    "every quarter of an hour": on_azure(EVERY_QUARTER),
    "workdays by cron": on_azure(WORKDAYS),
    "every month": on_azure(Recurrence(frequency="Month", start_time=datetime(2026, 12, 31, 6))),
    "a pipeline endpoint": on_azure(changes={"pipeline_id": "", "endpoint_id": "e1"}, endpoint_version="3"),
    "a window over midnight, by time": on_azure(
        EVERY_QUARTER, conditions=Conditions(window=Window(begin=22 * 60, end=6 * 60))
    ),
}
LOGIC_APPS = SHARED | {
    "only after another": on_azure(conditions=AFTER),
    "only after another, by time": on_azure(WORKDAYS, conditions=AFTER),
    "by the second": on_azure(Recurrence(frequency="Second", interval=30)),
}
FACTORIES = SHARED | {
    "removed files": on_azure(change(on=("removed",), recursive=True, pattern="*sales*")),
    "windows that tumble": on_azure(EVERY_QUARTER, changes={"missed": Missed.ALL}),
    "days of the month": on_azure(Cron(expression="0 6 1,15 * *")),
    "a batch endpoint": on_azure(batch_endpoint="scores"),
    "a batch endpoint by time": embedded(WORKDAYS, batch_endpoint="scores"),
}
FILLED = {"factoryName": "factory", "subscriptionId": PLACE.subscription, "resourceGroupName": "ml"} | {
    name: f"my-{name}"
    for name in (
        "workspaceName", "pipelineId", "containerName", "storageAccountName", "storageResourceGroup",
        "batchEndpointUri", "pipelineEndpoint", "location",
    )
}  # fmt: skip
EXPORTS = [
    *(pytest.param(logic_app, source, id=f"logic app: {name}") for name, source in LOGIC_APPS.items()),
    *(pytest.param(data_factory, source, id=f"data factory: {name}") for name, source in FACTORIES.items()),
]
Definition = LogicAppDefinition | DataFactoryDefinition


def filled(export: Export) -> Definition:
    found = definition_from(export.template, parameters=export.parameters["parameters"], values=FILLED)
    assert found.missing == ()
    return found


@pytest.mark.parametrize(("emit", "source"), EXPORTS)
def test_exports_pass_microsofts_schemas_and_our_rules(emit: Callable[[Source], Export], source: Source):
    found = filled(emit(source))
    assert [against(resource) for resource in found.resources] == [""] * len(found.resources)
    check_definition(found)


@pytest.mark.parametrize(("emit", "source"), EXPORTS)
def test_a_template_that_is_not_filled_in_yet_passes_too(emit: Callable[[Source], Export], source: Source):
    check_definition(definition_from(emit(source).template))


def _set(path: str, value: Any) -> Callable[[Any], None]:
    """Put a value at a path of keys with ``/`` between them; ``...`` takes the key away."""

    def spoil(root: Any) -> None:
        *above, last = (int(part) if part.isdigit() else part for part in path.split("/"))
        for part in above:
            root = root[part]
        if value is ...:
            del root[last]
        else:
            root[last] = value

    return spoil


TRIGGER = f"properties/definition/triggers/{BLOB_TRIGGER}"
RUN = "properties/definition/actions/Run_pipeline"
COUNT, IF = "properties/definition/actions/Files_that_count", "properties/definition/actions/If_some_count"
ACTIVITY = "properties/activities/0/typeProperties/ifTrueActivities/0"
PLACES = f"{ACTIVITY}/typeProperties/dataPathAssignments"
WITHIN = {"type": "Scope", "actions": {}}
NEVER = [{"activity": "Before", "dependencyConditions": ["Succeeded"]}]
AFTER_JOB = "properties/activities/1/dependsOn/0"
CRON, TUMBLING, BATCH = SHARED["workdays by cron"], FACTORIES["windows that tumble"], FACTORIES["a batch endpoint"]
ARTICLE, CONDITIONS = on_azure(), SHARED["several folders, one run a poll"]
# What is spoiled: the emitter, the source, the index of the resource, where, what with, and a word of the reason.
MUTATIONS = [
    (logic_app, ARTICLE, 1, "properties/state", "Off", "Off"),
    (logic_app, ARTICLE, 1, "identity/type", "System", "System"),
    (logic_app, ARTICLE, 1, "identity/type", ..., "type"),
    (logic_app, ARTICLE, 1, "properties/definitions", {}, "definitions"),
    (logic_app, ARTICLE, 1, "apiVersion", "2019-05", "2019-05"),
    (logic_app, ARTICLE, 0, "properties/api", "azureblob", "azureblob"),
    (logic_app, ARTICLE, 1, "properties/definition/trigers", {}, "trigers"),
    (logic_app, ARTICLE, 1, "properties/definition/contentVersion", ..., "contentVersion"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/type", "ApiConection", "ApiConnection"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/splitOn", "triggerBody()", "splitOn"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/splitOf", "@triggerBody()", "splitOf"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/recurrence", ..., "recurrence"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/recurrence/frequency", "Minutes", "Minute"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/recurrence/interval", 0, "interval"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/recurrence/schedule", {"hours": [6]}, "schedule"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/inputs/queries/folderId", ..., "folderId"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/inputs/host/connection/name", "", "name"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/conditions", [{"expression": "true"}], "begins with @"),
    (logic_app, ARTICLE, 1, f"{TRIGGER}/runtimeConfiguration", {"concurrency": {"runs": 0}}, "1 to 100"),
    (logic_app, ARTICLE, 1, f"{RUN}/type", "HTTP", "Http"),
    (logic_app, ARTICLE, 1, f"{RUN}/inputs/uri", ..., "uri"),
    (logic_app, ARTICLE, 1, f"{RUN}/inputs/method", "SEND", "SEND"),
    (logic_app, ARTICLE, 1, f"{RUN}/inputs/authentication/type", "ManagedIdentity", "ManagedServiceIdentity"),
    (logic_app, ARTICLE, 1, f"{RUN}/runAfter", {"Nothing": ["Succeeded"]}, "Nothing"),
    (logic_app, ARTICLE, 1, f"{RUN}/runAfter", {"Run_pipeline": ["Succeeded"]}, "circle"),
    (logic_app, ARTICLE, 1, f"{RUN}/inputs/body/RunSource", "@{body('Else')}", "Else"),
    (logic_app, ARTICLE, 1, f"{RUN}/inputs/body/RunSource", "@parameters('p')", "'p'"),
    (logic_app, CONDITIONS, 1, f"{IF}/runAfter/Files_that_count", ["Success"], "Success"),
    (logic_app, CONDITIONS, 1, f"{IF}/expression", ..., "expression"),
    (logic_app, CONDITIONS, 1, f"{IF}/actions/Files_that_count", WITHIN, "twice"),
    (logic_app, CONDITIONS, 1, f"{COUNT}/inputs/where", ..., "where"),
    (data_factory, ARTICLE, 0, "properties/type", "AzureML", "is not one of"),
    (data_factory, ARTICLE, 0, "properties/typeProperties/mlWorkspaceName", ..., "mlWorkspaceName"),
    (data_factory, ARTICLE, 1, "properties/activities/0/type", "If", "'If'"),
    (data_factory, ARTICLE, 1, "properties/activities/0/typeProperties/expression/type", "Text", "Expression"),
    (data_factory, ARTICLE, 1, f"{ACTIVITY}/type", "AzureMLExecute", "AzureMLExecute"),
    (data_factory, ARTICLE, 1, f"{ACTIVITY}/typeProperties/mlPipelineId", ..., "mlPipelineId"),
    (data_factory, ARTICLE, 1, f"{ACTIVITY}/typeProperties/version", "2", "version"),
    (data_factory, ARTICLE, 1, f"{ACTIVITY}/linkedServiceName/referenceName", "Other", "Other"),
    (data_factory, ARTICLE, 1, f"{ACTIVITY}/policy/retryIntervalInSeconds", 5, "5"),
    (data_factory, ARTICLE, 1, f"{PLACES}/input_datapath/Path", "x", "'Path'"),
    (data_factory, ARTICLE, 1, "properties/activities/0/dependsOn", NEVER, "Before"),
    (data_factory, ARTICLE, 1, "properties/concurrency", 0, "concurrency"),
    (data_factory, ARTICLE, 1, "properties/parameters/fileName", ..., "fileName"),
    (data_factory, ARTICLE, 2, "properties/typeProperties/events", ["Microsoft.Storage.BlobModified"], "BlobModified"),
    (data_factory, ARTICLE, 2, "properties/typeProperties/scope", ..., "scope"),
    (data_factory, ARTICLE, 2, "properties/typeProperties/blobPathBeginsWith", "my-container/", "/CONTAINER/blobs/"),
    (data_factory, ARTICLE, 2, "properties/typeProperties/blobPathEndsWith", "*.csv", "*"),
    (data_factory, ARTICLE, 2, "properties/pipelines/0/pipelineReference/referenceName", "Mine", "Mine"),
    (data_factory, ARTICLE, 2, "properties/pipelines/0/parameters/folderPath", ..., "folderPath"),
    (data_factory, CRON, 2, "properties/typeProperties/recurrence/frequency", "Weekly", "Week"),
    (data_factory, CRON, 2, "properties/typeProperties/recurrence/schedule/weekDays", ["Mon"], "Mon"),
    (data_factory, TUMBLING, 2, "properties/typeProperties/frequency", "Day", "Day"),
    (data_factory, TUMBLING, 2, "properties/typeProperties/interval", 5, "15"),
    (data_factory, TUMBLING, 2, "properties/typeProperties/maxConcurrency", 60, "60"),
    (data_factory, BATCH, 0, f"{AFTER_JOB}/dependencyConditions", ["Success"], "Success"),
    (data_factory, BATCH, 0, "properties/variables", ..., "status"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("emit", "source", "index", "path", "value", "word"),
    [pytest.param(*one, id=f"{one[0].__name__}: {one[3].rpartition('/')[2]}={one[4]}"[:70]) for one in MUTATIONS],
)
def test_what_is_spoiled_is_refused(emit, source, index, path, value, word):
    export = emit(source)
    template = copy.deepcopy(export.template)
    _set(path, value)(template["resources"][index])
    reasons: list[str] = []
    try:
        found = definition_from(template, parameters=export.parameters["parameters"], values=FILLED)
        reasons = [against(one) for one in found.resources] + [str(problem) for problem in problems_of(found)]
    except InvalidInput as error:
        reasons = [str(error)]
    assert any(word in reason for reason in reasons), reasons


def test_the_table_is_long_enough_and_each_line_spoils_what_was_fine():
    assert len(MUTATIONS) >= 30
    assert {one[0] for one in MUTATIONS} == {logic_app, data_factory}


def test_the_first_problem_is_the_message_and_the_others_are_counted():
    export = logic_app()
    template = copy.deepcopy(export.template)
    _set(f"{RUN}/inputs/uri", ...)(template["resources"][1])
    _set(f"{RUN}/runAfter", {"A": []})(template["resources"][1])
    found = definition_from(template, parameters=export.parameters["parameters"])
    with pytest.raises(InvalidInput, match=r"actions.Run_pipeline.inputs: has no 'uri' \(and 2 more\)"):
        check_definition(found)
