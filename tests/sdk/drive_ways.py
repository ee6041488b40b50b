"""Four ways in which Microsoft's SDK v1, unmodified, reaches a workspace that is served.

``drive_ways.py WAY URL FOLDER WORKSPACE_ID PIPELINE_ID`` with FOLDER the ``.aml/served`` of the workspace, and the ids
as its database has them; the four lines of way B are on standard input, as they were printed. Each prints ``ok`` lines;
``the way works`` at the end. What is checked was asked of the server: an object of the SDK also has what it was made
with.

A  a subclass of the public TokenAuthentication, by which the resource manager is the served workspace
B  the four lines: nothing is asked but discovery
C  the environment alone, and ``Workspace.from_config`` without an ``auth``
D  the default login of the SDK replaced by a factory of A
"""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

from audit import check, outside
from azureml.core import Experiment, Workspace, workspace
from azureml.core.authentication import TokenAuthentication
from azureml.pipeline.core import PublishedPipeline

WAY, URL, FOLDER, WORKSPACE_ID, PIPELINE_ID = sys.argv[1:]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/embedded"
    "/providers/Microsoft.MachineLearningServices/workspaces/embedded"
)
LOG = "azureml-logs/70_driver_log.txt"


class Subscription(NamedTuple):
    subscription_id: str
    subscription_name: str


class Served(TokenAuthentication):
    """The kept token, at the served workspace's own resource manager."""

    def __init__(self) -> None:
        super().__init__(
            get_token_for_audience=lambda _audience: Path(FOLDER, "token").read_text().strip(), cloud="AzureCloud"
        )
        self._cloud_type = deepcopy(self._cloud_type)
        self._cloud_type.endpoints.resource_manager = URL

    def _get_all_subscription_ids(self) -> tuple:
        return [Subscription(SUBSCRIPTION, "aml_magics")], SUBSCRIPTION


def way_a() -> Workspace:
    return Workspace.get("embedded", auth=Served(), subscription_id=SUBSCRIPTION, resource_group="embedded")


def way_b() -> Workspace:
    names: dict = {}
    exec(compile(sys.stdin.read(), "the four lines", "exec"), names)
    return names["ws"]


def way_c() -> Workspace:
    return Workspace.from_config(FOLDER)


def way_d() -> Workspace:
    workspace.InteractiveLoginAuthentication = lambda *_, **__: Served()
    return Workspace.from_config(FOLDER)


def check_where_it_is(ws: Workspace) -> None:
    """The workspace that is served and no other, at the address where it is served."""
    if WAY == "B":  # no resource manager is asked: the names are those of the lines
        names = (ws.subscription_id, ws.resource_group, ws.name, ws._workspace_id)
        check(f"the lines name it {names}", names == (SUBSCRIPTION, "embedded", "embedded", WORKSPACE_ID))
    else:
        told = ws.get_details()
        what = tuple(told[name] for name in ("id", "name", "workspaceid", "location"))
        check(f"its resource is told {what}", what == (SCOPE, "embedded", WORKSPACE_ID, "local"))
    services = ws.service_context
    where = {services._get_pipelines_url(), services._get_run_history_url()}
    check(f"discovery tells where its services are {where}", where == {URL})
    store = ws.get_default_datastore()
    check(f"its default datastore is told {store.name}", store.name == "workspaceblobstore")


def check_what_it_does(ws: Workspace) -> None:
    """Lists, an experiment, a run and its log."""
    pipelines = PublishedPipeline.list(ws)
    found = [(one.name, one.id) for one in pipelines]
    check(f"published pipelines are listed {found}", found == [("train", PIPELINE_ID)])
    made = Experiment(ws, "Made")
    again = Experiment(ws, "Made")
    check(f"an experiment is made, and once {made.id} {again.id}", made.id and made.id == again.id)
    listed = [(one.name, one.id) for one in Experiment.list(ws)]
    check(f"experiments are listed {listed}", listed == [("Made", made.id)])
    run = pipelines[0].submit(ws, "Made")
    status = run.wait_for_completion(show_output=False, raise_on_error=False)
    check(f"a run ends well: {status}", status == "Finished")
    logs = run.find_step_run("train")[0].get_details_with_logs()["logFiles"]
    check(f"its log is read, as a file and as output {logs}", "trained" in logs[LOG] and "trained" in logs["STDOUT"])


ws = {"A": way_a, "B": way_b, "C": way_c, "D": way_d}[WAY]()
check_where_it_is(ws)
check_what_it_does(ws)
check(f"nothing looked beyond this machine {outside}", not outside)
print("the way works")
