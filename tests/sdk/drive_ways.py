"""Four ways in which Microsoft's SDK v1, unmodified, reaches a workspace that is served.

``drive_ways.py WAY URL FOLDER`` with FOLDER the ``.aml/served`` of the workspace; the four lines of way B are on
standard input, as they were printed. Each prints ``ok`` lines; ``the way works`` at the end.

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

import azureml.core.workspace
from azureml.core import Experiment, Workspace
from azureml.core.authentication import TokenAuthentication
from azureml.pipeline.core import PublishedPipeline

WAY, URL, FOLDER = sys.argv[1:]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

outside = []


def stay_here(event: str, arguments: tuple) -> None:
    """Note whatever looks beyond this machine. (What is raised here, the SDK may swallow.)"""
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost", None):
        outside.append(arguments[0])
        raise OSError("this test stays on this machine")


sys.addaudithook(stay_here)


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
    azureml.core.workspace.InteractiveLoginAuthentication = lambda *_, **__: Served()
    return Workspace.from_config(FOLDER)


def check(promise: str, kept: object) -> None:
    """One line for each promise; the first that is broken ends the program."""
    if not kept:
        raise SystemExit(f"BROKEN {promise}")
    print(f"ok {promise}", flush=True)


ws = {"A": way_a, "B": way_b, "C": way_c, "D": way_d}[WAY]()
check("the workspace is the one that is served", (ws.name, ws.resource_group) == ("embedded", "embedded"))
check("published pipelines are listed", [one.name for one in PublishedPipeline.list(ws)] == ["train"])
check("an experiment is made", Experiment(ws, "Made").name == "Made")
check("experiments are listed", [one.name for one in Experiment.list(ws)] == ["Made"])
run = PublishedPipeline.list(ws)[0].submit(ws, "Made")
check("a run ends well", run.wait_for_completion(show_output=False) == "Finished")
check("its log is read", "trained" in str(run.find_step_run("train")[0].get_details_with_logs()["logFiles"]))
check(f"nothing looked beyond this machine {outside}", not outside)
print("the way works")
