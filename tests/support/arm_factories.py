"""What the stand-in for the resource manager answers about data factories; and what a request and an answer are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class Refused(Exception):
    """An answer of 400 and more."""

    def __init__(self, status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> None:
        error: dict[str, Any] = {"code": code, "message": message}
        if details:
            error["details"] = details
        self.answer = Answer(status, {"error": error})


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any = None


class FactoryAnswers:
    """The part of ``ArmStandIn``, whose attributes it uses, that is about data factories."""

    def _list_parts(self, request: Request, group: str, factory: str, kind: str) -> Answer:
        below = f"{self.group(group)}/providers/Microsoft.DataFactory/factories/{factory}/{kind}/".lower()
        return self._page(request, [one for one in self.resources.values() if one["id"].lower().startswith(below)])

    def _switch_trigger(self, request: Request, _group: str, _factory: str, name: str, verb: str) -> Answer:
        if request.body is not None:
            raise self._violation(400, "BadRequest", f"a body for {verb}")
        trigger = self._get(Request("GET", request.path.rpartition("/")[0], {})).body

        def finish() -> None:
            trigger["properties"]["runtimeState"] = "Started" if verb == "start" else "Stopped"
            self.switched.append(f"{verb} {name}")

        return self._later(finish)

    def _create_run(self, request: Request, _group: str, _factory: str, name: str) -> Answer:
        pipeline = self._get(Request("GET", request.path.rpartition("/")[0], {})).body
        strange = set(request.body) - set(pipeline["properties"].get("parameters", {}))
        if strange:
            raise self._violation(400, "BadRequest", f"no parameters {strange}")
        self.fired[name] += 1
        return Answer(200, {"runId": f"run-{self.fired[name]}"})

    def _query(self, kept: Callable[[], list[dict[str, Any]]], key: str) -> Callable[..., Answer]:
        operand = key[0].upper() + key[1:]

        def query(request: Request, _group: str, _factory: str) -> Answer:
            body = self._query_body(request)
            wanted = [value for one in body.get("filters", []) if one["operand"] == operand for value in one["values"]]
            found = [one for one in kept() if not wanted or one[key] in wanted]
            return self._query_page(body, found)

        return query

    def _query_activities(self, request: Request, _group: str, _factory: str, run: str) -> Answer:
        if run not in self.activity_runs:
            raise Refused(404, "PipelineRunNotFound", f"the run {run} is not found")
        return self._query_page(self._query_body(request), self.activity_runs[run])

    def _query_body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = request.body if isinstance(request.body, dict) else {}
        known = {"lastUpdatedAfter", "lastUpdatedBefore", "filters", "orderBy", "continuationToken"}
        if not {"lastUpdatedAfter", "lastUpdatedBefore"} <= set(body) <= known:
            raise self._violation(400, "BadRequest", f"the query {sorted(body)}")
        for one in body.get("filters", []):
            if set(one) != {"operand", "operator", "values"} or one["operator"] != "Equals":
                raise self._violation(400, "BadRequest", f"the filter {one}")
        return body

    def _query_page(self, body: dict[str, Any], found: list[dict[str, Any]]) -> Answer:
        at = int(body.get("continuationToken", 0))
        more = {"continuationToken": str(at + self.page_size)} if at + self.page_size < len(found) else {}
        return Answer(200, {"value": found[at : at + self.page_size], **more})
