"""Pages, calls side by side, and answers that make no sense."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.client.calls import read, read_all, segment, side_by_side, values_of_pages
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError


def pages(*answers, enough=None):
    tokens = []
    left = list(answers)

    async def page(token):
        tokens.append(token)
        return left.pop(0)

    return asyncio.run(values_of_pages(page, enough=enough)), tokens


def test_pages_are_followed_to_the_last_one():
    found, tokens = pages(
        {"value": [1, 2], "continuationToken": "a"}, {"value": [3], "continuationToken": "b"}, {"value": []}
    )
    assert found == [1, 2, 3]
    assert tokens == [None, "a", "b"]


def test_a_token_equal_to_the_last_ends_the_list():
    found, tokens = pages({"value": [1], "continuationToken": "a"}, {"value": [2], "continuationToken": "a"})
    assert found == [1, 2]
    assert tokens == [None, "a"]


def test_tokens_that_go_round_end_the_list():
    answers = [{"value": [n], "continuationToken": "ab"[n % 2]} for n in range(3)]
    assert pages(*answers)[0] == [0, 1, 2]


def test_enough_ends_a_list_early_and_exactly():
    found, tokens = pages({"value": [1, 2, 3], "continuationToken": "a"}, enough=2)
    assert (found, tokens) == ([1, 2], [None])


@pytest.mark.parametrize("answer", [None, [], {}, {"value": None}, {"value": "text"}, "text"])
def test_an_answer_that_is_no_page_is_a_service_error(answer):
    with pytest.raises(ServiceError, match="no page"):
        pages(answer)


def test_what_cannot_be_read_names_the_thing():
    def reader(_item):
        raise InvalidInput("Recurrence.Interval: expected a whole number")

    with pytest.raises(ServiceError, match=r"schedule 'nightly' cannot be read: Recurrence\.Interval"):
        asyncio.run(read_all("schedule", reader, [{"Name": "nightly"}]))


def test_an_answer_that_is_no_list_is_a_service_error():
    with pytest.raises(ServiceError, match="no list"):
        asyncio.run(read_all("schedule", dict, {"value": []}))


def test_reading_a_long_list_lets_others_have_their_turns():
    turns = []

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def go():
        task = asyncio.create_task(other())
        found = await read_all("number", int, list(range(1_000)))
        task.cancel()
        return found

    assert asyncio.run(go()) == list(range(1_000))
    assert len(turns) >= 10


def test_a_value_error_of_a_reader_is_a_service_error_too():
    with pytest.raises(ServiceError, match="run cannot be read"):
        read("run", int, "x")


def test_calls_side_by_side_answer_in_order_and_only_a_few_run_at_once():
    running, most = 0, 0

    async def call(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number * 2

    assert asyncio.run(side_by_side(call, range(50))) == [2 * number for number in range(50)]
    assert 1 < most <= 8


def test_the_first_failure_side_by_side_is_raised_as_it_is_and_ends_the_others():
    ended = []

    async def call(number):
        if number == 3:
            raise NotFound("three")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(number)
            raise

    with pytest.raises(NotFound, match="three"):
        asyncio.run(side_by_side(call, range(5)))
    assert set(ended) == {0, 1, 2, 4}


@given(st.text(min_size=1))
@settings(max_examples=300, deadline=None)
def test_any_name_is_one_segment_of_a_path(name):
    try:
        quoted = segment(name)
    except InvalidInput:
        assert any(0xD800 <= ord(letter) <= 0xDFFF for letter in name)
        return
    assert "/" not in quoted
    assert "?" not in quoted
    assert quoted.strip(".")
