"""Where a container is and how one gets in, from whatever people have at hand; a secret is never quoted."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.model.storage import (
    AZURITE_URL,
    CredentialKind,
    account_of_url,
    azurite_access,
    blob_access,
    checked_credential,
    from_connection_string,
)

KEY = "pl4ntedAccountKey000"
SAS = "sv=2026-01-01&sig=pl4nted%3D"


@pytest.mark.parametrize(
    ("text", "url", "kind", "secret"),
    [
        (
            f"DefaultEndpointsProtocol=https;AccountName=mine;AccountKey={KEY};EndpointSuffix=core.windows.net",
            "https://mine.blob.core.windows.net",
            CredentialKind.ACCOUNT_KEY,
            KEY,
        ),
        (f"AccountName=mine;AccountKey={KEY}", "https://mine.blob.core.windows.net", CredentialKind.ACCOUNT_KEY, KEY),
        (
            f"BlobEndpoint=https://mine.blob.core.windows.net/;SharedAccessSignature=?{SAS};",
            "https://mine.blob.core.windows.net",
            CredentialKind.SAS,
            SAS,
        ),
        (
            f"AccountName=devstoreaccount1;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:9/devstoreaccount1",
            "http://127.0.0.1:9/devstoreaccount1",
            CredentialKind.ACCOUNT_KEY,
            KEY,
        ),
    ],
)
def test_a_connection_string_says_where_and_how(text, url, kind, secret):
    access = from_connection_string(Secret(text), "data")
    assert (access.url, access.kind, access.secret.reveal()) == (url, kind, secret)
    assert "pl4nted" not in repr(access)


def test_the_emulators_shorthand_is_the_emulator():
    access = from_connection_string(Secret("UseDevelopmentStorage=true"), "data")
    assert access == azurite_access("data")
    assert (access.url, access.account) == (AZURITE_URL, "devstoreaccount1")


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://mine.blob.core.windows.net", "mine"),
        ("http://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"),
        ("http://localhost:10000/mine/", "mine"),
        ("http://[::1]:10000/mine", "mine"),
    ],
)
def test_the_account_is_read_off_its_url(url, account):
    assert account_of_url(url) == account
    assert blob_access(account=None, container="data", url=url).account == account


@pytest.mark.parametrize("container", ["", "ab", "a" * 64, "Data", "a--b", "-ab", "a_b", "a/b", "$logs2"])
def test_what_is_no_name_of_a_container_is_refused(container):
    with pytest.raises(InvalidInput, match="container"):
        blob_access(account="mine", container=container)


@pytest.mark.parametrize("container", ["$web", "$root", "abc", "a" * 63, "2026-01-01"])
def test_what_is_a_name_of_a_container_is_taken(container):
    assert blob_access(account="mine", container=container).container == container


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (CredentialKind.ACCOUNT_KEY, ""),
        (CredentialKind.ACCOUNT_KEY, "pl4nted!"),
        (CredentialKind.ACCOUNT_KEY, SAS),
        (CredentialKind.SAS, KEY),
        (CredentialKind.SAS, "sv=pl4nted&sig="),
    ],
)
def test_a_credential_that_cannot_be_one_is_refused_and_not_quoted(kind, text):
    with pytest.raises(InvalidInput) as refused:
        checked_credential(kind, Secret(text))
    assert "pl4nted" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "mine.blob.core.windows.net",
        "https://",
        "https://mine.example:port",
        "https://mine.example/c?sig=pl4nted",
        "https://me:pl4nted@mine.example",
        "https://mine.example/#pl4nted",
        "https://mine example",
    ],
)
def test_a_url_that_is_more_or_less_than_an_accounts_is_refused_and_not_quoted(url):
    with pytest.raises(InvalidInput, match="endpoint") as refused:
        blob_access(account="mine", container="data", url=url)
    assert "pl4nted" not in str(refused.value)
