"""When a question is asked again, and how bodies are called."""

import pytest

from aml_magics.client.services import ARM, DATASTORES, EXTRAS, HISTORY, LONGEST_PAUSE, PIPELINES, pause_before_retry


def pauses(service, status, asked=None):
    found = []
    while (pause := pause_before_retry(service, status, len(found) + 1, asked)) is not None:
        found.append(pause)
        assert len(found) < 10
    return found


@pytest.mark.parametrize("service", [PIPELINES, DATASTORES, EXTRAS])
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_pipelines_and_datastores_get_four_attempts_within_five_seconds(service, status):
    found = pauses(service, status)
    assert len(found) == 3
    assert 3 < sum(found) < 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501, 505])
def test_pipelines_does_not_repeat_what_would_not_change(status):
    assert pauses(PIPELINES, status) == []


@pytest.mark.parametrize("service", [PIPELINES, DATASTORES, HISTORY, ARM])
def test_every_service_that_asks_to_slow_down_is_waited_for(service):
    assert pauses(service, 429) == [2.0, 4.0, 8.0]
    assert pauses(service, 429, asked=6.0) == [6.0, 6.0, 8.0]
    assert pauses(service, 429, asked=LONGEST_PAUSE + 1) == []


def test_history_waits_two_four_and_eight_seconds_after_a_500():
    assert pauses(HISTORY, 500) == [2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [408, 502, 504])
def test_history_asks_a_gateway_again_at_once(status):
    assert pauses(HISTORY, status)[0] == 0


@pytest.mark.parametrize("status", [400, 401, 404, 501])
def test_history_does_not_repeat_what_would_not_change(status):
    assert pauses(HISTORY, status) == []


def test_a_pause_that_the_service_asks_for_is_kept():
    assert pauses(HISTORY, 429, asked=3.0) == [3.0, 4.0, 8.0]


def test_nobody_is_kept_waiting_longer_than_the_longest_pause():
    assert pauses(HISTORY, 503, asked=LONGEST_PAUSE + 1) == []


@pytest.mark.parametrize("service", [PIPELINES, DATASTORES, HISTORY, EXTRAS])
def test_a_broken_connection_is_tried_again(service):
    assert len(pauses(service, 0)) == 3


def test_pipelines_bodies_are_called_json_patch_and_so_are_queries():
    assert "json-patch+json" in PIPELINES.body_type("/Schedules/Create")
    assert "json-patch+json" in HISTORY.body_type("/experiments:query")
    assert HISTORY.body_type("/experiments/x") == "application/json; charset=utf-8"
