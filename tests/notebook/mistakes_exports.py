"""Mistakes with ``%aml export``, ``%aml logic-app`` and ``%aml data-factory``, in the form of ``mistakes``."""

from __future__ import annotations

_LOGIC_APP = (
    '%%%%aml logic-app run\n{"$schema": "s", "contentVersion": "1.0.0.0", "triggers": '
    '{"R": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1}}}, "actions": {%s}}'
)

MISTAKES = [
    # commands
    ("%aml logic-app stop X", "stop", "'disable'"),
    ("%aml logic-app create X", "create", "'deploy'"),
    ("%aml logic-app fire X", "fire", "'trigger'"),
    ("%aml data-factory enable X", "enable", "'start'"),
    ("%aml data-factory disable X", "disable", "'stop'"),
    ("%aml logic-app deploy", "FOLDER", "Write"),
    ("%aml logic-app deploy X", "on Azure", "%aml connect"),
    ("%aml data-factory runs X --limit none", "'none'", "5"),
    ("%aml logic-app deploy X --timeout soon", "'soon'", "5 minutes"),
    # exporting
    ("%aml export logic-app nighly", "'nighly'", "'nightly'"),
    ("%aml export data-factory nighly", "'nighly'", "'nightly'"),
    ("%aml export logic-app", "no name", "NAME"),
    ("%aml export logicapp nightly", "logicapp", "'logic-app'"),
    ("%aml export logic-app nightly --to", "--to needs a value", "--to FOLDER"),
    ("%aml export logic-app nightly --factory mine", "--factory", "--help"),
    ("%aml export data-factory nightly --only-after old", "--only-after", "--help"),
    ("%%aml export logic-app X\npipeline: trian\nevery: day", "'trian'", "'train'"),
    ("%%aml export logic-app X\npipeline: train", "no trigger", "every: 15 minutes"),
    ("%%aml export logic-app nightly\nfoldrs: [a]", "'foldrs'", "'folders'"),
    ("%%aml export logic-app nightly\nif_exists: replace", "if_exists", "--force"),
    ("%%aml export logic-app nightly\nbatch_endpoint: b", "batch_endpoint", "data-factory"),
    ("%%aml export data-factory nightly\nonly_after: old", "only_after", "dependsOn"),
    ("%aml export logic-app nightly --folders a,b", "folders", "datastore:"),
    ("%aml export logic-app nightly --window soon", "'soon'", "08:00-18:00"),
    ("%aml export logic-app nightly --window 08:00-08:00", "begins when it ends", "08:00-18:00"),
    ("%aml export logic-app nightly --window-days lundi", "'lundi'", "'Monday'"),
    ("%aml export logic-app nightly --window-time-zone UTC", "without a window", "window: 08:00-18:00"),
    ("%aml export logic-app nightly --window 8:00-9:00 --window-time-zone Lisbon", "'Lisbon'", "Europe/Lisbon"),
    ("%aml export logic-app nightly --concurrency many", "many", "at least 1"),
    ("%aml export logic-app nightly --concurrency 500", "concurrency 500", "1 to 100"),
    ("%aml export logic-app nightly --only-after trian", "'trian'", "'train'"),
    ("%aml export logic-app nightly --pipeline-endpoint trian", "'trian'", ""),
    ("%aml export data-factory nightly --endpoint-version 2", "endpoint_version", "pipeline_endpoint"),
    ("%aml export logic-app nightly --parameter learning_rte=1", "learning_rte", "'learning_rate'"),
    ("%aml export logic-app nightly --cron '0 6 1,15 * *'", "cannot express cron", "data-factory"),
    (
        "%%aml export logic-app X\npipeline: train\ndatastore: blob\ndata_path_parameter_name: input_data",
        "'blob'",
        "workspaceblobstore",
    ),
    (
        "%%aml export logic-app X\npipeline: train\ndatastore: workspaceblobstore\nfolders: [a, ../b]",
        "'../b'",
        "'b'",
    ),
    (
        "%%aml export logic-app X\npipeline: train\ndatastore: workspaceblobstore\nfolders: a\npath_on_datastore: b",
        "folders",
        "Keep one",
    ),
    # running a Logic App
    ("%aml logic-app run", "no definition to run", "%%aml"),
    ("%aml logic-app run nothing.json", "nothing.json", "current folder"),
    ("%aml logic-app run nighly", "no schedule called 'nighly'", "'nightly'"),
    ("%%aml logic-app run x.json\n{}", "two definitions", "Leave out"),
    ("%%aml logic-app run\n{", "the cell is no JSON", "Copy"),
    ("%%aml logic-app run\n" + "[" * 9000, "more than 100 levels", "Copy"),
    (_LOGIC_APP % ('"A": {"type": "Compose", "inputs": "@parameters(\'x\')"}'), "which is not declared. Mend", "Mend"),
    ("%%aml logic-app run\n[]", "the cell is no JSON object", "triggers"),
    ("%%aml logic-app run\n{}", "no workflow", "triggers"),
    ('%%aml logic-app run\n{"activities": []}', "is a Data Factory pipeline", "%aml data-factory run"),
    ("%%aml logic-app run --for soon\n{}", "'soon'", "5 minutes"),
    (_LOGIC_APP % ('"A": {"type": "Response"}'), "'A' (Response)", "Http"),
    (_LOGIC_APP % ('"A": {"type": "Compose", "inputs": "@concat(1"}'), "column 9", "Correct"),
    (_LOGIC_APP % ('"A": {"type": "Compose", "inputs": "@concatt(1)"}'), "concatt", "'concat'"),
    (_LOGIC_APP.replace('"Recurrence"', '"Request"') % "", "'R' (Request)", "Recurrence"),
    # running a Data Factory pipeline
    ("%aml data-factory run", "no definition to run", "%%aml"),
    ("%aml data-factory run nothing.json", "nothing.json", "current folder"),
    ("%%aml data-factory run x.json\n{}", "two definitions", "Leave out"),
    ("%%aml data-factory run\n{", "the cell is no JSON", "Copy"),
    ("%%aml data-factory run\n" + "[" * 9000, "more than 100 levels", "Copy"),
    ("%%aml data-factory run\n{}", "no activities", "activities"),
    ('%%aml data-factory run --for 5\n{"activities": []}', "--for goes with --trigger", "Name the trigger"),
    ('%%aml data-factory run --trigger x\n{"activities": []}', "no trigger 'x'", "--trigger"),
    ('%%aml data-factory run --parameter x=1\n{"activities": []}', "no parameter 'x'", "declares none"),
    (
        '%%aml data-factory run\n{"activities": [{"name": "A", "type": "Copy"}]}',
        "'A' (Copy); nothing was run",
        "These do",
    ),
]
