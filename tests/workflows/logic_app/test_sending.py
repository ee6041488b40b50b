"""The HTTP action: the sign-in that Azure asks for, what is tried again, and what a refusal leaves."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import Conflict, InvalidInput, NotFound, ServiceError
from tests.workflows.logic_app.bed import IDENTITY, compose, http, outputs, statuses

BUSY = ServiceError("slow down", status=429, code="TooManyRequests")


@pytest.mark.parametrize(
    ("authentication", "why"),
    [
        (None, "the action sends no token"),
        (IDENTITY | {"audience": "https://management.azure.com"}, "the token is for 'https://management.azure.com'"),
        (IDENTITY | {"audience": "https://ml.azure.com"}, "to the last character"),
    ],
)
def test_a_wrong_audience_or_none_is_answered_with_401_as_on_azure(bed, authentication, why):
    run = bed.run(
        {"Go": http(authentication=authentication), "Why": compose("@outputs('Go')?['statusCode']", "Go:Failed")}
    )
    assert outputs(run, "Why") == 401
    go = run.actions[0]
    assert (go.status, go.code) == ("Failed", "Unauthorized")
    assert why in go.message
    assert bed.web.sent == []


def test_an_identity_without_an_audience_gets_the_resource_managers(bed):
    assert bed.run({"Go": http(authentication={"type": "ManagedServiceIdentity"})}).status == "Succeeded"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("no pipeline"), 404),
        (Conflict("taken"), 409),
        (InvalidInput("bad"), 400),
        (ServiceError("no", status=403), 403),
    ],
)
def test_what_the_workspace_refuses_is_a_failed_action_with_its_status(bed, error, status):
    bed.web.fails = [error]
    run = bed.run({"Go": http(), "Mend": compose("@body('Go')['error']['message']", "Go:Failed")})
    assert outputs(run, "Go")["statusCode"] == status
    assert str(error) in outputs(run, "Mend")
    assert run.status == "Succeeded"
    assert len(bed.web.sent) == 1


@pytest.mark.parametrize(
    ("policy", "sent", "took"),
    [
        (None, 5, 7.5 + 15 + 30 + 45),
        ({"type": "none"}, 1, 0),
        ({"type": "fixed", "count": 2, "interval": "PT20S"}, 3, 40),
        ({"type": "exponential", "count": 3, "interval": "PT10S", "maximumInterval": "PT25S"}, 4, 10 + 20 + 25),
    ],
)
def test_a_busy_workspace_is_asked_again_as_the_policy_says(bed, policy, sent, took):
    bed.web.fails = [BUSY] * 10
    run = bed.run({"Go": http(retryPolicy=policy)})
    assert (len(bed.web.sent), (run.ended - run.started).total_seconds()) == (sent, took)
    assert run.actions[0].attempts == sent
    bed.web.fails, bed.web.sent = [BUSY], []
    assert bed.run({"Go": http(retryPolicy=policy)}).status == ("Failed" if sent == 1 else "Succeeded")


def test_a_submission_without_an_answer_is_not_sent_again(bed):
    bed.web.fails = [ServiceError("no answer", status=0)]
    assert statuses(bed.run({"Go": http()})) == {"Go": "Failed"}
    assert len(bed.web.sent) == 1
    bed.web.fails, bed.web.sent = [ServiceError("no answer", status=0)], []
    assert bed.run({"Ask": http(method="GET", body=None)}).status == "Succeeded"
    assert len(bed.web.sent) == 2


def test_an_address_that_turns_out_to_be_elsewhere_is_not_sent_to(bed):
    run = bed.run({"Go": http(uri="@concat('https://evil', '/x')")})
    assert "nothing is sent to https://evil/x: its address is not one of this workspace" in run.message
    assert bed.web.sent == []


def test_a_body_that_is_text_is_json_or_refused(bed):
    bed.run({"Go": http(body='{"ExperimentName": "@{1}"}')})
    assert bed.web.sent[0][2] == {"ExperimentName": "1"}
    assert "no JSON" in bed.run({"Go": http(body="nothing")}).message
