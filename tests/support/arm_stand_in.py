"""The resource manager beside a workspace: deployments, Logic Apps and data factories, as strict as Azure's.

It keeps the resources, checks every request (method, path, api-version, body against Microsoft's schemas), answers
long-running changes with 201 or 202 and addresses to look at, and counts what was created. What a request had wrong is
in ``violations`` besides the refusal, so that a test cannot overlook it. Addresses that it gives name another host: a
token must go to the resource manager all the same.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aml_magics.export.arm import Surroundings, resolve
from tests.support.arm_factories import Answer, FactoryAnswers, Refused, Request
from tests.support.arm_logic_apps import LogicAppAnswers
from tests.support.azure_validation import against

ELSEWHERE = "https://elsewhere.example"
LOGIC, FACTORY, DEPLOYMENTS, GROUPS = "2019-05-01", "2018-06-01", "2022-09-01", "2021-04-01"
PRINCIPAL = "77777777-0000-0000-0000-000000000001"
ML_RUN = "5f6f7f8f-0000-0000-0000-0000000000aa"
ACTIVE = "Unable to edit or replace deployment '{}': previous deployment from '11/27/2026' is still active."
STARTED = "Cannot update enabled Trigger; the trigger needs to be disabled first."
_PART = r"([^/]+)"


def objections(resource: dict[str, Any]) -> list[str]:
    """What Microsoft's schemas have against a resource; nothing where none is kept for its kind."""
    if resource["type"] == "Microsoft.Resources/deployments":
        return []
    found = against(resource)
    return [found] if found else []


@dataclass
class Operation:
    """A long-running change: how often it still answers that it goes on, and what it does in the end."""

    looks: int
    finish: Callable[[], dict[str, Any] | None]  # the error, if it fails
    deployment: str = ""
    ended: dict[str, Any] | None = None


@dataclass
class ArmStandIn(LogicAppAnswers, FactoryAnswers):
    """``check`` gives what is wrong with a resource by Microsoft's schemas. ``groups`` have their regions."""

    subscription: str
    groups: dict[str, str]
    check: Callable[[dict[str, Any]], list[str]] = lambda _resource: []
    base: str = "https://stand-in.example"
    looks: int = 1  # how often a long-running change answers that it goes on
    page_size: int = 100
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    refused_resources: dict[str, dict[str, Any]] = field(default_factory=dict)  # by kind or name: the error
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # of a Logic App's triggers, newest first
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by run
    outputs: dict[str, Any] = field(default_factory=dict)
    pipeline_runs: list[dict[str, Any]] = field(default_factory=list)
    trigger_runs: list[dict[str, Any]] = field(default_factory=list)
    activity_runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    created: Counter[str] = field(default_factory=Counter)  # PUTs that were carried out, by id
    fired: Counter[str] = field(default_factory=Counter)
    switched: list[str] = field(default_factory=list)  # "start nightly_trigger", "enable app"
    violations: list[str] = field(default_factory=list)

    # what tests say

    def group(self, name: str = "group") -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{name}"

    def add(self, id_: str, **resource: Any) -> dict[str, Any]:
        made = {"id": id_, "name": id_.rpartition("/")[2], **resource}
        self.resources[id_.lower()] = made
        return made

    def add_factory(self, name: str = "etl", group: str = "group") -> str:
        id_ = f"{self.group(group)}/providers/Microsoft.DataFactory/factories/{name}"
        self.add(id_, location="westeurope", type="Microsoft.DataFactory/factories", properties={})
        return id_

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.resources.values() if one.get("type") == kind]

    # the answer

    def serves(self, path: str) -> bool:
        group = re.match(rf"/subscriptions/{self.subscription}/resourceGroups/([^/]+)(/.*)?$", path, re.IGNORECASE)
        is_ours = group is not None and not (group[2] or "").startswith("/providers/Microsoft.MachineLearningServices")
        return is_ours or path.startswith((f"/subscriptions/{self.subscription}/operations/", "/outputs/"))

    def answer(self, request: Request, *, has_token: bool) -> Answer:
        try:
            return self._answer(request, has_token)
        except Refused as refusal:
            return refusal.answer

    def _answer(self, request: Request, has_token: bool) -> Answer:
        if request.path.startswith("/outputs/"):
            return self._output(request, has_token)
        if "/operations/" in request.path and "/deployments/" not in request.path:
            return self._operation(request)
        match = re.fullmatch(r"/subscriptions/[^/]+/resourceGroups/([^/]+)(.*)", request.path, re.IGNORECASE)
        assert match is not None
        group, rest = match[1], match[2]
        if group not in self.groups:
            raise Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        for method, pattern, version, handler in self._routes():
            found = re.fullmatch(pattern, rest)
            if found and method == request.method:
                self._check_version(request, version)
                return handler(request, group, *found.groups())
        raise self._violation(405, "MethodNotAllowed", f"{request.method} {request.path} is not here")

    def _routes(self) -> Iterator[tuple[str, str, str, Callable[..., Answer]]]:
        deployments = f"/providers/Microsoft.Resources/deployments/{_PART}"
        workflows = "/providers/Microsoft.Logic/workflows"
        workflow = f"{workflows}/{_PART}"
        factories = "/providers/Microsoft.DataFactory/factories"
        factory = f"{factories}/{_PART}"
        yield "GET", "", GROUPS, lambda _r, group: Answer(200, {"name": group, "location": self.groups[group]})
        yield "POST", f"{deployments}/validate", DEPLOYMENTS, self._validate
        yield "POST", f"{deployments}/whatIf", DEPLOYMENTS, self._what_if
        yield "PUT", deployments, DEPLOYMENTS, self._deploy
        yield "GET", deployments, DEPLOYMENTS, self._deployment
        yield "GET", f"{deployments}/operations", DEPLOYMENTS, self._failed_operations
        yield "POST", f"/providers/Microsoft.Logic/locations/{_PART}/workflows/{_PART}/validate", LOGIC, self._workflow
        yield "GET", workflows, LOGIC, self._list("Microsoft.Logic/workflows")
        yield "GET", workflow, LOGIC, self._get
        yield "POST", f"{workflow}/(enable|disable)", LOGIC, self._switch_app
        yield "GET", f"{workflow}/triggers", LOGIC, self._app_triggers
        yield "GET", f"{workflow}/triggers/{_PART}/histories", LOGIC, self._histories
        yield "POST", f"{workflow}/triggers/{_PART}/run", LOGIC, self._fire_app
        yield "GET", f"{workflow}/runs", LOGIC, lambda r, _g, name: self._page(r, self.runs.get(name, []))
        yield "GET", f"{workflow}/runs/{_PART}/actions", LOGIC, self._actions
        yield "GET", f"{workflow}/runs/{_PART}/actions/{_PART}", LOGIC, self._action
        yield "GET", factories, FACTORY, self._list("Microsoft.DataFactory/factories")
        yield "GET", factory, FACTORY, self._get
        yield "GET", f"{factory}/(pipelines|triggers)", FACTORY, self._list_parts
        yield "GET", f"{factory}/(pipelines|triggers)/{_PART}", FACTORY, self._get
        yield "POST", f"{factory}/triggers/{_PART}/(start|stop)", FACTORY, self._switch_trigger
        yield "POST", f"{factory}/pipelines/{_PART}/createRun", FACTORY, self._create_run
        yield "POST", f"{factory}/queryPipelineRuns", FACTORY, self._query(lambda: self.pipeline_runs, "pipelineName")
        yield "POST", f"{factory}/queryTriggerRuns", FACTORY, self._query(lambda: self.trigger_runs, "triggerName")
        yield "POST", f"{factory}/pipelineruns/{_PART}/queryActivityruns", FACTORY, self._query_activities

    def _check_version(self, request: Request, version: str) -> None:
        if request.query.get("api-version") != version:
            raise self._violation(400, "InvalidApiVersionParameter", f"{request.path}: {request.query}")

    def _violation(self, status: int, code: str, message: str) -> Refused:
        self.violations.append(message)
        return Refused(status, code, message)

    def _page(self, request: Request, items: list[Any]) -> Answer:
        at = int(request.query.get("$skiptoken", 0))
        size = min(self.page_size, int(request.query.get("$top", self.page_size)))
        answer: dict[str, Any] = {"value": items[at : at + size]}
        if at + size < len(items):
            version = request.query["api-version"]
            answer["nextLink"] = f"{ELSEWHERE}{request.path}?api-version={version}&%24skiptoken={at + size}"
        return Answer(200, answer)

    def _list(self, kind: str) -> Callable[..., Answer]:
        def listed(request: Request, group: str) -> Answer:
            below = f"{self.group(group)}/".lower()
            return self._page(request, [one for one in self.of_kind(kind) if one["id"].lower().startswith(below)])

        return listed

    def _get(self, request: Request, *_names: str) -> Answer:
        found = self.resources.get(request.path.lower())
        if found is None:
            kind = request.path.rpartition("/providers/")[2]
            raise Refused(404, "ResourceNotFound", f"The Resource '{kind}' under resource group 'group' was not found.")
        return Answer(200, found)

    # deployments

    def _resolved(self, request: Request, group: str, name: str) -> list[dict[str, Any]]:
        body = request.body if isinstance(request.body, dict) else {}
        properties = body.get("properties", {})
        if set(body) != {"properties"} or set(properties) != {"mode", "template", "parameters"}:
            raise self._violation(400, "InvalidRequestContent", f"the body of the deployment: {sorted(properties)}")
        if properties["mode"] != "Incremental" or not re.fullmatch(r"[-\w._()]{1,64}", name):
            raise self._violation(400, "InvalidDeployment", f"{name} {properties['mode']}")
        template = properties["template"]
        values = {key: one["value"] for key, one in properties["parameters"].items()}
        declared = template.get("parameters", {})
        strange = [one for one in values if one not in declared]
        missing = [one for one, about in declared.items() if one not in values and "defaultValue" not in about]
        if strange or missing:
            message = f"Deployment template validation failed: parameters {strange or missing} are not right."
            raise Refused(400, "InvalidTemplate", message)
        place = {"subscription": self.subscription, "resource_group": group, "location": self.groups[group]}
        defaults = {key: one["defaultValue"] for key, one in declared.items() if "defaultValue" in one}
        around = Surroundings(values=resolve(defaults, Surroundings(**place)) | values, **place)
        resources = [resolve(one, around) for one in template["resources"]]
        self._check_resources(name, resources)
        return resources

    def _check_resources(self, name: str, resources: list[dict[str, Any]]) -> None:
        wrong = [f"{one['type']} '{one['name']}': {text}" for one in resources for text in self.check(one)]
        if wrong:
            details = [{"code": "InvalidResource", "message": text} for text in wrong]
            message = f"The template deployment '{name}' is not valid. See inner errors for details."
            raise Refused(400, "InvalidTemplateDeployment", message, details)

    def _check_inactive(self, group: str, name: str) -> None:
        former = self.deployments.get(f"{group}/{name}".lower())
        if former is not None and former["properties"]["provisioningState"] in ("Running", "Accepted"):
            raise Refused(409, "DeploymentActive", ACTIVE.format(name))

    def _validate(self, request: Request, group: str, name: str) -> Answer:
        self._check_inactive(group, name)
        resources = self._resolved(request, group, name)
        return self._later(
            lambda: None, answer={"properties": {"validatedResources": [{"id": one["name"]} for one in resources]}}
        )

    def _what_if(self, request: Request, group: str, name: str) -> Answer:
        changes = [self._change(group, one) for one in self._resolved(request, group, name)]
        return self._later(lambda: None, answer={"status": "Succeeded", "properties": {"changes": changes}})

    def _change(self, group: str, resource: dict[str, Any]) -> dict[str, Any]:
        id_ = self._id(group, resource)
        former = self.resources.get(id_.lower())
        if former is None:
            return {"resourceId": id_, "changeType": "Create", "after": resource}
        delta = _delta(former.get("properties", {}), resource.get("properties", {}))
        kind = "Modify" if delta else "NoChange"
        inside = [{"path": "properties", "propertyChangeType": "Modify", "children": delta}] if delta else []
        return {"resourceId": id_, "changeType": kind, "delta": inside}

    def _id(self, group: str, resource: dict[str, Any]) -> str:
        provider, *kinds = resource["type"].split("/")
        names = resource["name"].split("/")
        parts = "/".join(part for pair in zip(kinds, names, strict=True) for part in pair)
        return f"{self.group(group)}/providers/{provider}/{parts}"

    def _deploy(self, request: Request, group: str, name: str) -> Answer:
        self._check_inactive(group, name)
        resources = self._resolved(request, group, name)
        id_ = f"{self.group(group)}/providers/Microsoft.Resources/deployments/{name}"
        self.created[id_] += 1
        properties: dict[str, Any] = {
            "provisioningState": "Accepted", "correlationId": f"c-{sum(self.created.values())}",
            "outputs": {"principalId": {"type": "String", "value": PRINCIPAL}},
        }  # fmt: skip
        deployment = {"id": id_, "name": name, "properties": properties, "failed": []}
        self.deployments[f"{group}/{name}".lower()] = deployment
        failed: list[dict[str, Any]] = deployment["failed"]  # type: ignore[assignment]

        def finish() -> dict[str, Any] | None:
            failed.extend(error for one in resources if (error := self._made(group, one)) is not None)
            properties["provisioningState"] = "Failed" if failed else "Succeeded"
            if not failed:
                return None
            message = (
                "At least one resource deployment operation failed. Please list deployment operations for details."
            )
            properties["error"] = {"code": "DeploymentFailed", "message": message}
            return properties["error"]

        number = self._begin(finish)
        self.operations[number].deployment = f"{group}/{name}".lower()
        headers = {"azure-asyncoperation": self._link(number), "retry-after": "0"}
        return Answer(201, {key: value for key, value in deployment.items() if key != "failed"}, headers)

    def _made(self, group: str, resource: dict[str, Any]) -> dict[str, Any] | None:
        """Make or change one resource; the operation that failed, if it does."""
        kind, name = resource["type"], resource["name"]
        id_ = self._id(resource.get("resourceGroup", group), resource)
        former = self.resources.get(id_.lower(), {})
        error = self.refused_resources.get(kind) or self.refused_resources.get(name)
        if kind.endswith("/triggers") and former.get("properties", {}).get("runtimeState") == "Started":
            error = {"code": "TriggerEnabledCannotUpdate", "message": STARTED}
        if error is not None:
            target = {"id": id_, "resourceType": kind, "resourceName": name}
            told = {"provisioningState": "Failed", "targetResource": target, "statusMessage": {"error": error}}
            return {"properties": told}
        made = copy.deepcopy(resource) | {"id": id_, "name": name.rpartition("/")[2]}
        if kind == "Microsoft.Logic/workflows":
            made["identity"] = {"type": "SystemAssigned", "principalId": PRINCIPAL}
            made["properties"] |= {"provisioningState": "Succeeded", "createdTime": "2026-11-27T18:00:00.1234567Z"}
        self.resources[id_.lower()] = made
        self.created[id_] += 1
        return None

    def _deployment(self, _request: Request, group: str, name: str) -> Answer:
        found = self.deployments.get(f"{group}/{name}".lower())
        if found is None:
            raise Refused(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
        for operation in self.operations.values():
            if operation.deployment == f"{group}/{name}".lower():
                self._turn(operation)
        return Answer(200, {key: value for key, value in found.items() if key != "failed"})

    def _failed_operations(self, request: Request, group: str, name: str) -> Answer:
        done = {"properties": {"provisioningState": "Succeeded", "targetResource": {"resourceName": "x"}}}
        return self._page(request, [done, *self.deployments[f"{group}/{name}".lower()]["failed"]])

    # long-running changes

    def _begin(self, finish: Callable[[], dict[str, Any] | None]) -> str:
        number = f"op{len(self.operations)}"
        self.operations[number] = Operation(self.looks, finish)
        return number

    def _link(self, number: str, kind: str = "status") -> str:
        return f"{ELSEWHERE}/subscriptions/{self.subscription}/operations/{number}?api-version={DEPLOYMENTS}&k={kind}"

    def _later(self, finish: Callable[[], dict[str, Any] | None], answer: Any = None) -> Answer:
        """202 with a ``Location``, or at once."""
        if self.looks == 0:
            finish()
            return Answer(200, answer)
        number = self._begin(finish)
        self.outputs[number] = answer
        return Answer(202, None, {"location": self._link(number, "location"), "retry-after": "0"})

    def _turn(self, operation: Operation) -> bool:
        """One look; whether it has ended."""
        if operation.ended is None and operation.looks > 0:
            operation.looks -= 1
            return False
        if operation.ended is None:
            error = operation.finish()
            operation.ended = {"status": "Failed", "error": error} if error else {"status": "Succeeded"}
        return True

    def _operation(self, request: Request) -> Answer:
        number = request.path.rpartition("/")[2]
        operation = self.operations[number]
        ended = self._turn(operation)
        if request.query.get("k") == "location":
            return Answer(200, self.outputs.get(number)) if ended else Answer(202, None, {"retry-after": "0"})
        return Answer(200, operation.ended if ended else {"status": "Running"}, {"retry-after": "0"})

    # Logic Apps

    def _workflow(self, request: Request, _group: str, location: str, name: str) -> Answer:
        body = request.body
        if not isinstance(body, dict) or body.get("location") != location:
            raise self._violation(400, "InvalidRequestContent", f"the workflow {name} is not in {location}")
        resource = {"type": "Microsoft.Logic/workflows", "apiVersion": LOGIC, "name": name, **body}
        wrong = self.check(resource)
        definition = body["properties"]["definition"]
        missing = [one for one in ("$schema", "triggers", "actions") if one not in definition]
        if wrong or missing:
            message = f"The workflow '{name}' is not valid: {[*wrong, *missing]}"
            raise Refused(400, "InvalidWorkflow", message)
        return Answer(200)

    def _switch_app(self, request: Request, _group: str, name: str, verb: str) -> Answer:
        app = self._get(Request("GET", request.path.rpartition("/")[0], {})).body
        app["properties"]["state"] = "Enabled" if verb == "enable" else "Disabled"
        self.switched.append(f"{verb} {name}")
        return Answer(200)

    def _app_triggers(self, request: Request, _group: str, name: str) -> Answer:
        app = self._get(Request("GET", request.path.rpartition("/")[0], {})).body
        due = {"nextExecutionTime": "2026-11-28T06:30:00Z"} if app["properties"]["state"] == "Enabled" else {}
        names = app["properties"]["definition"]["triggers"]
        return self._page(request, [{"name": one, "properties": {"state": "Enabled", **due}} for one in names])


def _delta(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": name, "propertyChangeType": "Modify", "before": before.get(name), "after": value}
        for name, value in after.items()
        if before.get(name) != value
    ]
