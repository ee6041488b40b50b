"""The v1 dialect of Azure ML's REST protocol: every value of the model to and from JSON.

``*_to`` makes the JSON that is sent, ``*_from`` reads JSON that came (names in any case). The client and the embedded
workspace share these functions, so what one writes the other reads. ``PascalCase`` for the pipelines service,
``camelCase`` for all others, exactly: Microsoft's SDK takes a name in the wrong case for an absent field.

The modules behind this one: ``v1_workspace`` (where a workspace is), ``v1_resources`` (experiments,
pipelines, submissions), ``v1_datastores``, ``v1_endpoints`` (pipeline endpoints), ``v1_schedules``, ``v1_runs``,
``v1_graph`` (publishing), ``v1_sdk_graph`` and ``v1_sdk_settings`` (what Microsoft's SDK publishes), ``v1_snapshots``,
``v1_engine`` (fires, polls, health), ``v1_errors``.
"""

from __future__ import annotations

from aml_magics.wire.v1_datastores import datastore_from, datastore_to, registration_from, registration_to
from aml_magics.wire.v1_endpoints import endpoint_creation_from, endpoint_from, endpoint_to
from aml_magics.wire.v1_engine import (
    fire_from,
    fire_to,
    health_from,
    health_to,
    history_from,
    history_to,
    poll_from,
    poll_to,
)
from aml_magics.wire.v1_errors import (
    EndpointDisabled,
    EndpointInUse,
    PipelineDisabled,
    PipelineInUse,
    error_from,
    error_to,
)
from aml_magics.wire.v1_graph import (
    CODE_LIMIT,
    data_source_place,
    data_source_to,
    definition_digest,
    module_creation_from,
    module_creation_to,
    module_interface_to,
    pipeline_creation_from,
    pipeline_creation_to,
)
from aml_magics.wire.v1_resources import (
    data_paths_from,
    data_paths_to,
    defaults_to,
    experiment_from,
    experiment_to,
    interface_from,
    interface_to,
    pipeline_from,
    pipeline_to,
    status_from,
    submission_from,
    submission_to,
)
from aml_magics.wire.v1_runs import (
    run_from,
    run_history_from,
    run_history_to,
    run_to,
    step_from,
    step_run_id,
    step_to,
    task_status_to,
)
from aml_magics.wire.v1_schedules import (
    schedule_creation_from,
    schedule_creation_to,
    schedule_from,
    schedule_to,
    schedule_trigger_from,
)
from aml_magics.wire.v1_sdk_graph import GraphSource, GraphStep, graph_steps
from aml_magics.wire.v1_workspace import (
    EMBEDDED_KIND,
    EMBEDDED_SCOPE,
    compute_to,
    discovery_to,
    scope_of,
    workspace_to,
)

__all__ = [
    "CODE_LIMIT",
    "EMBEDDED_KIND",
    "EMBEDDED_SCOPE",
    "EndpointDisabled",
    "EndpointInUse",
    "GraphSource",
    "GraphStep",
    "PipelineDisabled",
    "PipelineInUse",
    "compute_to",
    "data_paths_from",
    "data_paths_to",
    "data_source_place",
    "data_source_to",
    "datastore_from",
    "datastore_to",
    "defaults_to",
    "definition_digest",
    "discovery_to",
    "endpoint_creation_from",
    "endpoint_from",
    "endpoint_to",
    "error_from",
    "error_to",
    "experiment_from",
    "experiment_to",
    "fire_from",
    "fire_to",
    "graph_steps",
    "health_from",
    "health_to",
    "history_from",
    "history_to",
    "interface_from",
    "interface_to",
    "module_creation_from",
    "module_creation_to",
    "module_interface_to",
    "pipeline_creation_from",
    "pipeline_creation_to",
    "pipeline_from",
    "pipeline_to",
    "poll_from",
    "poll_to",
    "registration_from",
    "registration_to",
    "run_from",
    "run_history_from",
    "run_history_to",
    "run_to",
    "schedule_creation_from",
    "schedule_creation_to",
    "schedule_from",
    "schedule_to",
    "schedule_trigger_from",
    "scope_of",
    "status_from",
    "step_from",
    "step_run_id",
    "step_to",
    "submission_from",
    "submission_to",
    "task_status_to",
    "workspace_to",
]
