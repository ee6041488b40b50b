"""Errors over the wire: the right status, the right dialect, one line, and the same kind of error at the other end."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.wire import v1

KINDS = [
    (InvalidInput("what is wrong", hint="What to do."), 400, InvalidInput),
    (NotFound("there is no pipeline 'a'"), 404, NotFound),
    (Conflict("the name is taken"), 400, Conflict),
    (v1.PipelineInUse("pipeline 'train' is used"), 400, v1.PipelineInUse),
    (v1.PipelineDisabled("pipeline 'train' is Disabled"), 400, v1.PipelineDisabled),
    (v1.EndpointInUse("pipeline endpoint 'prod' is used"), 400, v1.EndpointInUse),
    (v1.EndpointDisabled("pipeline endpoint 'prod' is Disabled"), 400, v1.EndpointDisabled),
    (v1.StorageFailed("datastore 'blobs': no answer", hint="Try again."), 500, v1.StorageFailed),
    (NotConnected("no workspace"), 500, ServiceError),
    (ZeroDivisionError("inside"), 500, ServiceError),
]


@pytest.mark.parametrize("service", ["pipelines", "other"])
@pytest.mark.parametrize(("error", "status", "kind"), KINDS, ids=[type(error).__name__ for error, _, _ in KINDS])
def test_an_error_is_the_same_kind_at_the_other_end_with_the_same_line(error, status, kind, service):
    answered, body = v1.error_to(error, service=service)

    read = v1.error_from(answered, body)

    assert answered == status
    assert type(read) is kind
    line = str(error) if isinstance(error, AmlError) else "the workspace failed: ZeroDivisionError: inside"
    assert str(read) == line


def test_the_pipelines_service_writes_pascal_case_and_the_others_camel_case():
    error = InvalidInput("wrong", hint="Right.")

    assert v1.error_to(error, service="pipelines")[1] == {
        "Error": {"Code": "BadArgument", "Message": "wrong. Right."},
        "Correlation": {},
    }
    assert v1.error_to(error, service="other")[1]["error"]["code"] == "UserError"


@pytest.mark.parametrize("error", [error for error, _, _ in KINDS], ids=repr)
def test_microsofts_client_finds_the_list_of_details_that_it_prints_its_exception_with(error):
    assert v1.error_to(error, service="other")[1]["error"]["details"] == []


def test_an_expected_refusal_is_never_one_that_microsofts_client_repeats():
    expected = [error for error, _, _ in KINDS if isinstance(error, InvalidInput | NotFound | Conflict)]

    assert {v1.error_to(error)[0] for error in expected} == {400, 404}


@pytest.mark.parametrize("answer", [None, "", {}, [], {"error": "text"}, {"Error": None}, 7])
def test_an_answer_without_an_error_body_still_says_which_call_failed(answer):
    read = v1.error_from(502, answer, what="GET /Pipelines")

    assert str(read) == "GET /Pipelines: the service answered 502"
    assert (read.status, read.code) == (502, "")


def test_plain_text_and_long_lines_become_one_line():
    assert str(v1.error_from(500, "bad\n  gateway")) == "bad gateway"
    assert str(v1.error_from(400, {"Error": {"Code": "BadArgument", "Message": "a\nb"}})) == "a b"
    assert len(v1.error_to(ValueError("x" * 10_000))[1]["Error"]["Message"]) <= 2000


def test_an_unknown_code_is_kept():
    read = v1.error_from(403, {"error": {"code": "Forbidden", "message": "not yours"}})

    assert (type(read), read.status, read.code) == (ServiceError, 403, "Forbidden")
