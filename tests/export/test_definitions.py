"""What is written is read back with its parameters filled in."""

from __future__ import annotations

import json

import pytest

from aml_magics.export.arm import Surroundings
from aml_magics.export.definitions import DataFactoryDefinition, LogicAppDefinition, definition_from, read_definition
from aml_magics.export.logic_app import BLOB_TRIGGER
from aml_magics.model.errors import InvalidInput, NotFound
from tests.support.exports import URL, data_factory, embedded, logic_app, written


def test_a_logic_app_is_read_from_its_folder_and_from_its_template(tmp_path):
    folder = written(logic_app(), tmp_path / "app")
    for place in (folder, folder / "template.json", str(folder)):
        found = read_definition(place)
        assert isinstance(found, LogicAppDefinition)
        assert (found.name, found.datastore, found.folders) == ("MyReactiveSchedule", "workspaceblobstore", ("",))
        assert found.definition["actions"]["Run_pipeline"]["inputs"]["uri"] == URL
        path = found.definition["triggers"][BLOB_TRIGGER]["inputs"]["path"]
        assert (
            path == "/v2/datasets/@{encodeURIComponent(encodeURIComponent('mystorage'))}/triggers/batch/onupdatedfile"
        )
        assert found.missing == ()


def test_a_data_factory_is_read_from_its_folder(tmp_path):
    found = read_definition(written(data_factory(), tmp_path / "factory"), {"factoryName": "mine"})
    assert isinstance(found, DataFactoryDefinition)
    assert (found.name, found.factory) == ("MyReactiveSchedule", "mine")
    assert list(found.pipelines) == ["MyReactiveSchedule"]
    assert list(found.triggers) == ["MyReactiveSchedule_trigger"]
    assert found.linked_services["AzureMLService_ws"]["typeProperties"]["mlWorkspaceName"] == "ws"


def test_what_an_embedded_workspace_knows_counts_here_and_is_missing_on_azure(tmp_path):
    folder = written(logic_app(embedded()), tmp_path / "app")
    assert set(read_definition(folder).missing) == {"pipelineEndpoint", "storageAccountName", "containerName"}
    here = read_definition(folder, here=True)
    assert here.missing == ()
    assert here.definition["actions"]["Run_pipeline"]["inputs"]["uri"].endswith("/0f5d4a3e-6b1c-4a4e-9a55-000000000001")
    assert here.definition["triggers"][BLOB_TRIGGER]["inputs"]["queries"]["folderId"] == "@base64('%2flocalstore')"


def test_values_that_are_given_count_more_than_those_in_the_file(tmp_path):
    folder = written(logic_app(), tmp_path / "app")
    found = read_definition(folder, {"pipelineEndpoint": "https://other", "workflowName": "other"})
    assert found.name == "other"
    assert found.definition["actions"]["Run_pipeline"]["inputs"]["uri"] == "https://other"


def test_bare_definitions_are_read_as_the_portal_shows_them(tmp_path):
    workflow = {"triggers": {}, "actions": {}}
    pipeline = {"name": "mine", "properties": {"activities": []}}
    for content, kind in (
        (workflow, LogicAppDefinition),
        ({"definition": workflow, "parameters": {}}, LogicAppDefinition),
        (pipeline, DataFactoryDefinition),
        ({"activities": []}, DataFactoryDefinition),
    ):
        file = tmp_path / "bare.json"
        file.write_text(json.dumps(content))
        assert isinstance(read_definition(file), kind)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "bare.json is no JSON: .* in line 1, column 2"),
        ("[]", "bare.json is no JSON object"),
        ('{"a": ' * 101, "bare.json is no JSON: more than 100 levels inside each other in line 1, column 601"),
        ('{"a": 1}', "bare is no workflow and no Data Factory pipeline"),
        ('{"resources": []}', "the template has 0 Logic Apps"),
    ],
)
def test_what_is_no_definition_is_refused_in_one_line(tmp_path, content, words):
    file = tmp_path / "bare.json"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=words):
        read_definition(file)


def test_a_folder_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="there is no file"):
        read_definition(tmp_path / "nothing")


def test_a_default_is_evaluated_and_a_value_is_taken_as_it_is():
    template = {
        "parameters": {"a": {"defaultValue": "[resourceGroup().location]"}, "b": {}, "c": {"defaultValue": "[[c]"}},
        "resources": [
            {
                "type": "Microsoft.Logic/workflows",
                "name": "[parameters('b')]",
                "properties": {"definition": {"x": "[parameters('a')]", "y": "[parameters('c')]"}},
            }
        ],
    }
    found = definition_from(template, values={"b": "[b]"}, around=Surroundings(location="westeurope"))
    assert (found.name, found.definition) == ("[b]", {"x": "westeurope", "y": "[c]"})
    nowhere = definition_from(template, values={"b": "b"})
    assert nowhere.definition["x"] == "[parameters('a')]"
    assert nowhere.missing == ()
