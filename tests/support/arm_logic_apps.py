"""What the stand-in for the resource manager answers about the runs and histories of Logic Apps."""

from __future__ import annotations

from typing import Any

from tests.support.arm_factories import Answer, Refused, Request


class LogicAppAnswers:
    """The part of ``ArmStandIn``, whose attributes it uses, that is about what Logic Apps did."""

    def _histories(self, request: Request, _group: str, name: str, _trigger: str) -> Answer:
        return self._page(request, self.histories.get(name, []))

    def _fire_app(self, request: Request, _group: str, name: str, trigger: str) -> Answer:
        app = self._get(Request("GET", request.path.partition("/triggers/")[0], {})).body
        if app["properties"]["state"] != "Enabled":
            raise Refused(400, "WorkflowDisabled", f"The workflow '{name}' is disabled.")
        self.fired[f"{name}/{trigger}"] += 1
        return Answer(202, None, {"x-ms-workflow-run-id": "08584000000000000001"})

    def _actions(self, request: Request, _group: str, _name: str, run: str) -> Answer:
        if run not in self.actions:
            raise Refused(404, "WorkflowRunNotFound", f"The workflow run '{run}' could not be found.")
        return self._page(request, self.actions[run])

    def _action(self, _request: Request, _group: str, _name: str, run: str, action: str) -> Answer:
        for one in self.actions.get(run, []):
            if one["name"] == action:
                return Answer(200, one)
        raise Refused(404, "WorkflowRunActionNotFound", f"The workflow run action '{action}' could not be found.")

    def _output(self, request: Request, has_token: bool) -> Answer:
        if has_token or request.query.get("sig") != "c2ln":
            raise self._violation(401, "AuthorizationFailed", "a token was sent to an address with its own key")
        return Answer(200, self.outputs[request.path.rpartition("/")[2]])

    def add_action(self, run: str, name: str, status: str, output: Any) -> None:
        """An action of a run, with the address of what it put out."""
        key = f"{run}-{name}"
        self.outputs[key] = output
        link = {"uri": f"{self.base}/outputs/{key}?sv=1.0&sig=c2ln", "contentSize": 1}
        times = {"startTime": "2026-11-27T06:30:01Z", "endTime": "2026-11-27T06:30:02Z"}
        action = {"name": name, "properties": {"status": status, "code": "x", "outputsLink": link, **times}}
        self.actions.setdefault(run, []).append(action)
