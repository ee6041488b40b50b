"""What each function of the language makes of its arguments, and how it refuses others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.workflows.language import ExpressionError, evaluate
from aml_magics.workflows.language.dates import clock_functions
from aml_magics.workflows.language.functions import NAMES


class NoScope:
    def lookup(self, function: str):
        return None


def worth(expression: str):
    return evaluate(f"@{expression}", NoScope())


WORTH = [
    # text
    ("concat('a', 'b', 'c')", "abc"),
    ("concat('n=', 3, ' ', true, null, 1.5)", "n=3 True1.5"),
    ("concat(createArray(1), createArray(2, 3))", [1, 2, 3]),
    ("concat('it''s')", "it's"),
    ("toLower('ÄB')", "äb"),
    ("toUpper('straße')", "STRASSE"),
    ("trim('  a b ')", "a b"),
    ("replace('a/b/c', '/', '-')", "a-b-c"),
    ("replace('aaa', 'a', '')", ""),
    ("split('a/b//c', '/')", ["a", "b", "", "c"]),
    ("split('abc', '')", ["abc"]),
    ("startsWith('Landing/a.csv', 'landing/')", True),
    ("startsWith('a', 'ab')", False),
    ("endsWith('A.CSV', '.csv')", True),
    ("endsWith('a.csv', '.parquet')", False),
    ("indexOf('hello World', 'world')", 6),
    ("indexOf('hello', 'x')", -1),
    ("indexOf(createArray('a', 'b'), 'b')", 1),
    ("lastIndexOf('a/b/c', '/')", 3),
    ("lastIndexOf(createArray(1, 2, 1), 1)", 2),
    ("lastIndexOf(createArray(1), 2)", -1),
    ("nthIndexOf('a-b-c', '-', 2)", 3),
    ("nthIndexOf('a-b-c', '-', -1)", 3),
    ("nthIndexOf('a-b-c', '-', 3)", -1),
    ("nthIndexOf('abc', '', 1)", -1),
    ("substring('container/file', 10)", "file"),
    ("substring('hello', 1, 3)", "ell"),
    ("substring('hello', 5)", ""),
    ("slice('Hello World', 2, 5)", "llo"),
    ("slice('Hello World', -2)", "ld"),
    ("slice('Hello', 3, 3)", ""),
    ("length('héllo')", 5),
    ("length(createArray(1, 2))", 2),
    ("lastIndexOf('abc', '')", 2),
    ("lastIndexOf('', '')", 0),
    ("lastIndexOf('', 'a')", -1),
    ("length(guid())", 36),
    ("length(guid('N'))", 32),
    ("isInt('12')", True),
    ("isInt('1.5')", False),
    ("isFloat('1.5')", True),
    ("isFloat('a')", False),
    ("isFloat('nan')", False),
    ("isInt('1_0')", False),
    ("isInt('٣')", False),
    ("isInt('9223372036854775808')", False),
    ("isFloat('1_0')", False),
    ("isFloat('1e999')", False),
    ("int(' -9223372036854775808 ')", -(2**63)),
    ("float('.5e1')", 5.0),
    ("base64(json('\"\\ud800\"'))", "77+9"),
    ("uriComponent(json('\"\\ud800\"'))", "%EF%BF%BD"),
    # collections
    ("empty('')", True),
    ("empty(createArray('a'))", False),
    ("empty(null)", True),
    ("empty(json('{}'))", True),
    ("contains('hello', 'ell')", True),
    ("contains('hello', 'ELL')", False),
    ("contains(createArray('a', 1), 1)", True),
    ("contains(createArray(1), true)", False),
    ("contains(json('{\"a\": null}'), 'a')", True),
    ("first('abc')", "a"),
    ("first(json('[]'))", None),
    ("first('')", ""),
    ("last(split('a/b/c', '/'))", "c"),
    ("take(createArray(1, 2, 3), 2)", [1, 2]),
    ("take('abc', 5)", "abc"),
    ("skip(createArray(1, 2, 3), 1)", [2, 3]),
    ("skip('abc', -1)", "abc"),
    ("chunk('abcde', 2)", ["ab", "cd", "e"]),
    ("chunk(createArray(1, 2, 3), 2)", [[1, 2], [3]]),
    ("reverse(createArray(1, 2))", [2, 1]),
    ("sort(createArray('b', 'a'))", ["a", "b"]),
    ("sort(json('[{\"n\": 2}, {\"n\": 1}]'), 'n')", [{"n": 1}, {"n": 2}]),
    ("join(createArray('a', 1, true), '-')", "a-1-True"),
    ("join(skip(split('/box/in/a b.csv', '/'), 2), '/')", "in/a b.csv"),
    ("union(createArray(1, 2), createArray(2, 3))", [1, 2, 3]),
    ('union(json(\'{"a": 1}\'), json(\'{"a": 2, "b": 3}\'))', {"a": 2, "b": 3}),
    ("intersection(createArray(1, 2, 3), createArray(3, 2))", [2, 3]),
    ('intersection(json(\'{"a": 1, "b": 2}\'), json(\'{"a": 1, "b": 3}\'))', {"a": 1}),
    # logic
    ("and(true, equals(1, 1), true)", True),
    ("and(true, false)", False),
    ("or(false, true)", True),
    ("not(false)", True),
    ("if(true, 'yes', div(1, 0))", "yes"),
    ("if(false, first(null), 'no')", "no"),
    ("equals('a', 'A')", False),
    ("equals(1, 1.0)", True),
    ("equals(1, true)", False),
    ("equals(1, '1')", False),
    ("equals(null, null)", True),
    ('equals(json(\'{"a": 1, "b": 2}\'), json(\'{"b": 2, "a": 1}\'))', True),
    ("less(1, 2)", True),
    ("lessOrEquals(2, 2)", True),
    ("greater('b', 'a')", True),
    ("greaterOrEquals(1, 2)", False),
    # numbers
    ("add(1, 2.5)", 3.5),
    ("sub(1, 3)", -2),
    ("mul(-4, 2)", -8),
    ("div(7, 2)", 3),
    ("div(-7, 2)", -3),
    ("div(7, 2.0)", 3.5),
    ("mod(-7, 2)", -1),
    ("mod(7, 4)", 3),
    ("min(3, 1, 2)", 1),
    ("max(createArray(3, 1.5))", 3),
    ("range(1, 3)", [1, 2, 3]),
    ("rand(4, 5)", 4),
    # conversion
    ("string(true)", "True"),
    ("string(1.0)", "1"),
    ('string(json(\'{"a": [1, "ä"]}\'))', '{"a":[1,"ä"]}'),
    ("int('10')", 10),
    ("int(3.9)", 3),
    ("float('1.5')", 1.5),
    ("decimal('2')", 2.0),
    ("bool('True')", True),
    ("bool(0)", False),
    ("json('[1, null]')", [1, None]),
    ("array('a')", ["a"]),
    ("createArray(1, 'a')", [1, "a"]),
    ("coalesce(null, '', 'b')", ""),
    ("coalesce(null)", None),
    ("base64('%2fmy-container')", "JTJmbXktY29udGFpbmVy"),
    ("base64ToString('JTJmbXktY29udGFpbmVy')", "%2fmy-container"),
    ("decodeBase64(base64('ä'))", "ä"),
    ("dataUri('hi')", "data:text/plain;charset=utf-8;base64,aGk="),
    ("uriComponent('a b/ä')", "a%20b%2F%C3%A4"),
    ("encodeUriComponent(encodeUriComponent('a/b'))", "a%252Fb"),
    ("uriComponentToString('a%20b')", "a b"),
    ("decodeUriComponent('%C3%A4')", "ä"),
    ("uriHost('https://www.localhost.com:8080/a')", "www.localhost.com"),
    ("uriPath('https://h/catalog/shownew.htm?date=today')", "/catalog/shownew.htm"),
    ("uriPathAndQuery('https://h/c/s.htm?date=today')", "/c/s.htm?date=today"),
    ("uriQuery('https://h/c?a=b')", "?a=b"),
    ("uriScheme('https://h')", "https"),
    ("uriPort('https://h')", 443),
    ("addProperty(json('{\"a\": 1}'), 'b', 2)", {"a": 1, "b": 2}),
    ("setProperty(json('{\"a\": 1}'), 'a', 2)", {"a": 2}),
    ("removeProperty(json('{\"a\": 1, \"b\": 2}'), 'a')", {"b": 2}),
    # dates
    ("addDays('2018-03-15T00:00:00Z', 10)", "2018-03-25T00:00:00.0000000Z"),
    ("addDays('2018-03-15T00:00:00Z', -5, 'yyyy-MM-dd')", "2018-03-10"),
    ("addHours('2018-03-15T00:00:00Z', 10)", "2018-03-15T10:00:00.0000000Z"),
    ("addMinutes('2018-03-15T00:20:00Z', -5)", "2018-03-15T00:15:00.0000000Z"),
    ("addSeconds('2018-03-15T00:00:30Z', 40)", "2018-03-15T00:01:10.0000000Z"),
    ("addToTime('2018-01-31T00:00:00Z', 1, 'Month', 'yyyy-MM-dd')", "2018-02-28"),
    ("addToTime('2018-01-01T00:00:00Z', 1, 'Week', 'D')", "Monday, January 8, 2018"),
    ("addToTime('2017-12-31T00:00:00Z', 2, 'Month', 'yyyy-MM-dd')", "2018-02-28"),
    ("subtractFromTime('2018-01-02T00:00:00Z', 1, 'Day', 'yyyy-MM-dd')", "2018-01-01"),
    ("subtractFromTime('2020-02-29T00:00:00Z', 1, 'Year', 'yyyy-MM-dd')", "2019-02-28"),
    ("formatDateTime('2018-03-15T13:05:09.1234567Z', 'yyyy/MM/dd hh:mm:ss.fff tt')", "2018/03/15 01:05:09.123 PM"),
    ("formatDateTime('2018-03-15T13:05:09Z', 'dddd, d MMM yy')", "Thursday, 15 Mar 18"),
    ("formatDateTime('2018-03-15T13:05:09Z', 'r')", "Thu, 15 Mar 2018 13:05:09 GMT"),
    ("formatDateTime('2018-03-15T13:05:09Z', 's')", "2018-03-15T13:05:09"),
    ("formatDateTime('2018-03-15T13:05:09Z', 'u')", "2018-03-15 13:05:09Z"),
    ("formatDateTime('2018-03-15T13:05:09Z', 'g')", "3/15/2018 1:05 PM"),
    ("formatDateTime('2018-03-15T13:05:09Z', 'HHmm''Z''')", "1305Z"),
    ("formatDateTime('2018-03-15T13:05:09+02:00')", "2018-03-15T11:05:09.0000000Z"),
    ("formatDateTime('2018-03-15', 'yyyyMMdd', 'en-US')", "20180315"),
    (
        "convertFromUtc('2018-01-01T08:00:00.0000000Z', 'Pacific Standard Time')",
        "2018-01-01T00:00:00.0000000",
    ),
    ("convertFromUtc('2018-07-01T08:00:00Z', 'Europe/Berlin', 'HH:mm zzz')", "10:00 +02:00"),
    ("convertToUtc('2018-01-01T00:00:00', 'Pacific Standard Time')", "2018-01-01T08:00:00.0000000Z"),
    (
        "convertTimeZone('2018-01-01T00:00:00', 'UTC', 'Tokyo Standard Time', 'yyyy-MM-ddTHH:mm')",
        "2018-01-01T09:00",
    ),
    ("dayOfMonth('2018-03-15T13:27:36Z')", 15),
    ("dayOfWeek('2018-03-18T00:00:00Z')", 0),
    ("dayOfYear('2018-03-15T13:27:36Z')", 74),
    ("startOfDay('2018-03-15T13:30:30Z')", "2018-03-15T00:00:00.0000000Z"),
    ("startOfHour('2018-03-15T13:30:30Z')", "2018-03-15T13:00:00.0000000Z"),
    ("startOfMonth('2018-03-15T13:30:30Z', 'yyyy-MM-dd')", "2018-03-01"),
    ("ticks('0001-01-01T00:00:01Z')", 10_000_000),
    ("dateDifference('2015-02-08', '2018-07-30')", "1268.00:00:00"),
    ("dateDifference('2018-01-02T00:00:00Z', '2018-01-01T23:59:58.5Z')", "-00:00:01.5000000"),
    ("length(utcNow())", 28),
    ("greater(getFutureTime(1, 'Day'), getPastTime(1, 'Day'))", True),
]


@pytest.mark.parametrize(("expression", "value"), WORTH, ids=lambda each: str(each)[:60])
def test_the_value_of(expression, value):
    found = worth(expression)
    assert found == value
    assert type(found) is type(value)


WRONG = [
    ("first()", "first() takes 1 argument, not 0, at column 1 of 'first()'"),
    ("createArray()", "createArray() takes at least 1 argument, not 0, at column 1"),
    ("substring('a')", "substring() takes 2 to 3 arguments, not 1, at column 1"),
    ("toLower(3)", "toLower(): argument 1 must be text, and is the number 3, at column 9 of 'toLower(3)'"),
    ("toLower(json('{\"a\": 1}')['a'])", "argument 1 must be text, and is the number 1, at column 9"),
    ("if(json('[0]')[0], 1, 2)", "argument 1 must be true or false, and is the number 0, at column 4"),
    ("concat('a', toLower(null))", "toLower(): argument 1 must be text, and is null, at column 21"),
    ("substring('abc', 4)", "argument 2 must be from 0 to 3, the length of the text, and is 4, at column 18"),
    ("substring('abc', 1, 3)", "argument 3 must be from 0 to 2, what is left of the text, and is 3"),
    ("div(1, 0)", "div(): argument 2 must not be 0, at column 8"),
    ("mod(1, 0)", "argument 2 must not be 0"),
    ("and(true, 'true')", "argument 2 must be true or false, and is text, at column 11"),
    ("if('yes', 1, 2)", "if(): argument 1 must be true or false, and is text, at column 4"),
    ("less(1, '2')", "argument 2 must be of the kind of argument 1, and is text"),
    ("less(null, 1)", "argument 1 must be a number or text, and is null"),
    ("int('a')", "argument 1 is no whole number of 64 bits: 'a'"),
    ("int('1_0')", "argument 1 is no whole number of 64 bits: '1_0'"),
    ("int('9223372036854775808')", "argument 1 is no whole number of 64 bits"),
    ("float('inf')", "argument 1 is no number: 'inf'"),
    ("float('1e999')", "argument 1 is no number: '1e999'"),
    ("json('1e999')", "a number is too large"),
    ("base64ToString('ä')", "argument 1 is not base64 of text"),
    ("uriHost('http://[::1')", "argument 1 is no URI (Invalid IPv6 URL), at column 9"),
    ("uriPort('http://h:99999')", "argument 1 is no URI (Port out of range 0-65535)"),
    ("formatDateTime('0001-01-01T00:00:00+05:00')", "the result is not in the calendar"),
    ("convertFromUtc('9999-12-31T23:59:00Z', 'Tokyo Standard Time')", "the result is not in the calendar"),
    ("convertToUtc('0001-01-01', 'Tokyo Standard Time')", "the result is not in the calendar"),
    ("formatDateTime('tomorrow')", "2026-03-02T09:00:00Z is one."),
    ("addProperty(json('{\"a\": 1}'), 'a', 2)", "setProperty() replaces it."),
    ("bool('maybe')", "argument 1 is neither true nor false: 'maybe'"),
    ("json('{')", "argument 1 is no JSON"),
    ("json('NaN')", "NaN is not JSON"),
    ("base64ToString('*')", "argument 1 is not base64 of text"),
    ("formatDateTime('03/15/2018')", "argument 1 is no date and time: '03/15/2018'"),
    ("formatDateTime('2018-01-01', 'q')", "argument 2 is no format of .NET: 'q'"),
    ("formatDateTime('2018-01-01', 'd', 'de-DE')", "argument 3 must be en-US here, and is 'de-DE'"),
    ("addToTime('2018-01-01', 1, 'Fortnight')", "argument 3 must be Second, Minute, Hour, Day, Week, Month, Year"),
    ("addDays('9999-12-31', 1)", "the result is not in the calendar"),
    ("addToTime('9999-12-31', 1, 'Month')", "the result is not in the calendar"),
    ("convertFromUtc('2018-01-01', 'Pacfic Standard Time')", "argument 2"),
    ("range(0, 1000000)", "argument 2 must be from 0 to 100,000"),
    ("mul(9000000000000000000, 9000000000000000000)", "the result is too large"),
    ("add(1e308, 1e308)", "the result is too large"),
    ("min(json('[]'))", "argument 1 must not be empty"),
    ("sort(createArray(1, 'a'))", "argument 1 must be all text or all numbers"),
    ("replace('a', '', 'b')", "argument 2 must not be empty"),
    ("rand(2, 2)", "argument 2 must be above argument 1 (2)"),
    ("guid('X')", "argument 1 must be D, N, B or P"),
    ("addProperty(json('{\"a\": 1}'), 'a', 2)", "argument 2 is a property already: 'a'"),
    ("setProperty('a', 'b', 1)", "argument 1 must be an object, and is text"),
    ("uriPort('ftp://h')", "argument 1 has no port"),
    ("length(3)", "argument 1 must be text or an array, and is the number 3"),
    ("chunk('a', 0)", "argument 2 must be 1 or more"),
    ("union(createArray(1), 2)", "argument 2 must be an array, and is the number 2"),
    ("xpath('a', 'b')", "xpath() cannot be run here, at column 1"),
    ("concatt('a')", "there is no function concatt() here, at column 1 of \"concatt('a')\". Did you mean 'concat'?"),
    ("nothingLikeIt()", "there is no function nothingLikeIt() here, at column 1"),
]


@pytest.mark.parametrize(("expression", "message"), WRONG, ids=lambda each: str(each)[:50])
def test_what_a_function_does_not_take_is_one_line_with_the_column(expression, message):
    with pytest.raises(ExpressionError) as raised:
        worth(expression)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_function_is_tried():
    tried = " ".join(expression for expression, _ in (*WORTH, *WRONG)).casefold()
    assert [name for name in NAMES if f"{name.casefold()}(" not in tried] == []


def test_a_scope_brings_its_own_clock():
    class Clock:
        def lookup(self, function: str):
            return clock_functions(lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC)).get(function.casefold())

    assert evaluate("@utcNow()", Clock()) == "2026-03-02T09:30:00.0000000Z"
    assert evaluate("@utcnow('yyyy')", Clock()) == "2026"
    assert evaluate("@{getPastTime(2, 'Hour', 'HH:mm')}", Clock()) == "07:30"
    assert evaluate("@getFutureTime(1, 'Month')", Clock()) == "2026-04-02T09:30:00.0000000Z"
