"""Run history's filters, as SDK v1 writes them."""

from __future__ import annotations

import pytest

from aml_magics.embedded.store_filter import compile_filter

RUN = {
    "runId": "r1",
    "parentRunId": None,
    "runType": "azureml.PipelineRun",
    "status": "Completed",
    "createdUtc": "2026-03-02T09:00:00.500000Z",
    "tags": {"owner": "me and (you)", "Case": "kept"},
    "properties": {"azureml.runsource": "azureml.PipelineRun"},
}


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "(ParentRunId eq null)",
        "(Status eq Completed)",
        "(Status ne Failed)",
        '(Tags/owner eq "me and (you)")',
        "(Tags/owner eq 'me and (you)')",
        "(Tags/owner ne null or Tags/owner eq null)",
        "(CreatedUtc ge 2026-03-02T09:00:00+00:00)",
        "(CreatedUtc lt 2026-03-03)",
        "(RunType eq x or Properties/azureml.runsource eq azureml.PipelineRun)",
        '((RunType eq x or RunType eq azureml.PipelineRun) and (Tags/Case eq "kept"))',
        "Status eq Failed and Status eq Completed or RunId eq r1",
    ],
)
def test_a_filter_lets_pass_what_it_describes(text):
    assert compile_filter(text)(RUN) is True


@pytest.mark.parametrize(
    "text",
    [
        "(ParentRunId ne null)",
        "(Status eq Failed)",
        '(Status eq "null")',
        "(Tags/owner eq null)",
        "(Tags/nothing ne null or Tags/nothing eq null)",
        "(Tags/case eq kept)",
        "(Nothing gt 1)",
        "(CreatedUtc gt 2026-03-02T09:00:00.500000Z)",
        "(Status eq Completed and RunId eq other)",
        "(Status eq Failed or RunId eq other)",
    ],
)
def test_a_filter_holds_back_what_it_does_not_describe(text):
    assert compile_filter(text)(RUN) is False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(Status eq", "ends where a value is expected"),
        ("(Status", "ends where an operator is expected"),
        ("(Status is Failed)", "'is' is no operator"),
        ("(Status eq Failed", "a bracket is not closed"),
        ("Status eq Failed)", "not expected there"),
        ('(Tags/a eq "b)', "a quotation mark is not closed"),
        ("(" * 30, "nested too deeply"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        compile_filter(text)
    assert "\n" not in str(refusal.value)
