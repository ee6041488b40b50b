"""What every program that drives a served workspace with Microsoft's SDK v1 needs, imported from beside it.

The first three arguments of such a program are BASE, SCOPE and WORKSPACE_ID, the token is in the environment: it stands
for a login, and the discovery address is set on the workspace object (``drive_ways.py`` has the other ways).
"""

from __future__ import annotations

import os
import sys
import time

from audit import check
from azureml._restclient.exceptions import ServiceException
from azureml.core import Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.pipeline.core import PipelineStep
from azureml.pipeline.core._module_builder import _ModuleBuilder
from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException

BASE, SCOPE, WORKSPACE_ID = sys.argv[1:4]
TOKEN = os.environ["AML_MAGICS_TOKEN"]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}  # for callers other than the SDK


class Bare(PipelineStep):
    """A step of one's own that has no script."""

    service = "escloud"

    def create_node(self, graph, default_datastore, context):
        inputs, outputs = self.create_input_output_bindings(self._inputs, self._outputs, default_datastore)
        module = self.create_module_def(execution_type=self.service, input_bindings=inputs, output_bindings=outputs)
        builder = _ModuleBuilder(context=context, module_def=module)
        return graph.add_module_node(self.name, inputs, outputs, module_builder=builder)


def refused(promise: str, words: str, call) -> None:
    """The call must be refused with an Error body that has these words, and at once."""
    begun = time.monotonic()
    try:
        call()
    except (ErrorResponseException, ServiceException) as error:
        check(f"{promise}: {error}", words in str(error))
        check(f"{promise}: refused without being asked again", time.monotonic() - begun < 2)
    else:
        check(promise, kept=False)


def wait(what: str, done, seconds: float = 30.0) -> None:
    """Look until it is true."""
    deadline = time.monotonic() + seconds
    while not done():
        check(what, time.monotonic() < deadline)
        time.sleep(0.1)
    check(what, kept=True)


def connect() -> Workspace:
    _, _, subscription, _, group, *_, name = SCOPE.split("/")
    ws = Workspace(
        subscription,
        group,
        name,
        # Without the cloud's name the constructor asks Azure for the list of clouds.
        auth=TokenAuthentication(get_token_for_audience=lambda _audience: TOKEN, cloud="AzureCloud"),
        _disable_service_check=True,
        _workspace_id=WORKSPACE_ID,
    )
    ws._discovery_url_internal = f"{BASE}/discovery"
    return ws
