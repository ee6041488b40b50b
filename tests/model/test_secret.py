"""A secret is not shown by mistake, and what others quote of one is struck out."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import traceback

import pandas as pd
import pytest

from aml_magics.model.secret import MASK, Secret, redacted

PLANTED = "pl4nted-s3cret-text"
KEY = base64.b64encode(bytes(range(64))).decode()
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.c2lnbmF0dXJl"


def test_it_comes_out_of_reveal():
    assert Secret(PLANTED).reveal() == PLANTED


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        "{}".format,
        "{!r}".format,
        "%s".__mod__,
        lambda secret: repr({"token": [secret]}),
        lambda secret: pd.DataFrame({"key": [secret]}).to_string(),
        lambda secret: pd.DataFrame({"key": [secret]}).to_html(),
        lambda secret: "".join(traceback.format_exception(ValueError(secret))),
        lambda secret: json.dumps(secret, default=str),
        lambda secret: repr(dir(secret)) + repr(getattr(secret, "__dict__", "")),
    ],
)
def test_nothing_else_shows_it(show):
    assert PLANTED not in show(Secret(PLANTED))


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_it_is_not_copied_to_where_it_could_be_read(write):
    with pytest.raises(TypeError, match="not pickled"):
        write(Secret(PLANTED))


def test_it_compares_by_what_it_holds():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("a").matches("a")
    assert not Secret("a").matches("\ud800")
    assert not Secret("")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"the header was Authorization: Bearer {JWT}", "Bearer ***"),
        (f"token {JWT} has expired", "has expired"),
        (f"https://x.example/c/b?sv=1&sig={PLANTED}&se=2", "se=2"),
        (f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};EndpointSuffix=x", "AccountName=a"),
        (f"wrong key {KEY} given", "given"),
        (f"Server=x;Password={PLANTED};", "Server=x"),
        (f'{{"client_secret": "{PLANTED}", "scope": "s"}}', '"scope": "s"'),
        (f"access_token={PLANTED}&x=1", "x=1"),
        (f"https://user:{PLANTED}@host/path", "@host/path"),
    ],
)
def test_what_others_quote_is_struck_out(text, kept):
    found = redacted(text)
    assert MASK in found
    assert kept in found
    assert not any(secret in found for secret in (PLANTED, KEY, JWT))


@pytest.mark.parametrize("text", ["", "there is no pipeline 'train'", "a=1; b=2", "signal = 3", "2026-11-27T06:00:00Z"])
def test_other_texts_stay_as_they_are(text):
    assert redacted(text) == text


def test_a_secret_that_is_known_is_struck_out_whatever_its_form():
    assert redacted("the word hunter2 is wrong", Secret("hunter2"), Secret("")) == "the word *** is wrong"
