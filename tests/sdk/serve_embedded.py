"""A workspace that is served on loopback, for Microsoft's SDK to talk to: ``serve_embedded.py ROOT [tls]``.

The token is in the environment. Prints one line of JSON when it answers (``{"base": ..., "scope": ..., "workspace_id":
..., "ca": ..., "pipelines": {...}}``), serves until its standard input closes, and stops the workspace. Two pipelines
are published in it as our own client does it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import httpx

from aml_magics.embedded.serving import Serving
from aml_magics.embedded.workspace import EmbeddedWorkspace
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter
from aml_magics.model.secret import Secret
from aml_magics.wire import v1

TRAIN = PipelineDefinition(
    name="train",
    description="Prepares and trains",
    version="1.0",
    parameters=(Parameter("learning_rate", 0.1), Parameter("epochs", 3)),
    data_paths=(DataPathParameter("input_data", DataPath("workspaceblobstore", "incoming")),),
    steps=(
        StepDefinition(
            name="prepare",
            command='echo "prepared $AZUREML_DATAREFERENCE_input_data" | tee ${{outputs.prepared}}/note.txt',
            outputs=("prepared",),
        ),
        StepDefinition(
            name="fit",
            command="echo trained with ${{inputs.rate}}; cat ${{inputs.data}}/note.txt",
            inputs={"rate": PipelineInput("learning_rate"), "data": StepOutput("prepare", "prepared")},
        ),
    ),
)
IDLE = PipelineDefinition(name="idle", steps=(StepDefinition(name="rest", command="echo resting"),))


async def main() -> None:
    """Serve until nobody listens any more."""
    workspace = EmbeddedWorkspace(Path(sys.argv[1]))
    await workspace.start()
    serving = Serving(workspace, token=Secret(os.environ["AML_MAGICS_TOKEN"]), tls="tls" in sys.argv)
    try:
        served = await serving.start()
        about = {
            "base": served.url,
            "scope": v1.EMBEDDED_SCOPE,
            "workspace_id": served.workspace_id,
            "ca": str(served.ca or ""),
            "pipelines": {name.name: await publish(workspace, name) for name in (TRAIN, IDLE)},
        }
        sys.stdout.write(json.dumps(about) + "\n")
        sys.stdout.flush()
        await standard_input_closes()
    finally:
        await serving.stop()
        await workspace.stop()


async def publish(workspace: EmbeddedWorkspace, definition: PipelineDefinition) -> str:
    """The id of the pipeline, published over the protocol."""
    transport = httpx.ASGITransport(app=workspace.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:
        prefix = f"/pipelines/v1.0{v1.EMBEDDED_SCOPE}"
        ids = {}
        for step in definition.steps:
            answer = await client.post(f"{prefix}/Modules", json=v1.module_creation_to(step))
            ids[step.name] = answer.raise_for_status().json()["Id"]
        body = v1.pipeline_creation_to(definition, ids)
        answer = await client.post(f"{prefix}/Pipelines/Create", json=body)
        return str(answer.raise_for_status().json()["Id"])


async def standard_input_closes() -> None:
    """Wait until whoever started this process is gone, or has had enough."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    transport.close()


if __name__ == "__main__":
    asyncio.run(main())
