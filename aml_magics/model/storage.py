"""Where a blob container is, and with what one gets in: account, container, URL of the account, kind of credential.

People have this in many forms: two names, a URL, a connection string from the portal, the emulator on their machine.
Each becomes a ``BlobAccess`` here, checked without asking anybody, so that a slip of the pen is refused before anything
is sent. A secret is never part of a message.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret

__all__ = [
    "AZURITE_URL",
    "DEFAULT_SUFFIX",
    "BlobAccess",
    "CredentialKind",
    "Registration",
    "account_of_url",
    "account_url",
    "azurite_access",
    "blob_access",
    "checked_credential",
    "from_connection_string",
]

DEFAULT_SUFFIX = "core.windows.net"
AZURITE_URL = "http://127.0.0.1:10000/devstoreaccount1"
_AZURITE_ACCOUNT = "devstoreaccount1"
# The emulator's key is the same everywhere, and published: it protects nothing.
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"\$root|\$web|\$logs|[a-z0-9](?:-?[a-z0-9]){2,62}")
_HOST_IS_A_NUMBER = re.compile(r"\d+(?:\.\d+){3}|.*:.*|localhost")
_LONGEST_CONTAINER = 63


class CredentialKind(StrEnum):
    """How a datastore gets in; the datastore service's words, and one of our own (``Identity``)."""

    NONE = "None"
    ACCOUNT_KEY = "AccountKey"
    SAS = "Sas"
    IDENTITY = "Identity"

    @property
    def needs_secret(self) -> bool:
        return self in (CredentialKind.ACCOUNT_KEY, CredentialKind.SAS)

    @property
    def in_words(self) -> str:
        return {"AccountKey": "account key", "Sas": "SAS"}.get(self.value, self.value.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobAccess:
    """A container and the way in. ``url`` is that of the account; ``secret`` is the key or the SAS, without ``?``."""

    account: str
    container: str
    url: str
    kind: CredentialKind = CredentialKind.NONE
    secret: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What is to become a datastore: a folder of the machine that the workspace is on, or a container."""

    name: str
    folder: str | None = None
    access: BlobAccess | None = None


def account_url(account: str, *, suffix: str = DEFAULT_SUFFIX, protocol: str = "https") -> str:
    """Where the blobs of an account are.

    >>> account_url("mine")
    'https://mine.blob.core.windows.net'
    """
    return f"{protocol}://{account}.blob.{suffix}"


def account_of_url(url: str) -> str:
    """The account that a URL names: the first part of its host; where the host is an address, the end of its path."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _HOST_IS_A_NUMBER.fullmatch(host):
        return parts.path.strip("/").rpartition("/")[2]
    return host.partition(".")[0]


def blob_access(
    *,
    account: str | None,
    container: str | None,
    url: str | None = None,
    kind: CredentialKind = CredentialKind.NONE,
    secret: Secret | None = None,
) -> BlobAccess:
    """A checked ``BlobAccess``.

    Raises ``InvalidInput`` for names that storage does not take, a URL that is not that of an account, a key that is
    none.
    """
    if not container:
        raise InvalidInput("the datastore has no container", hint="Name one with --container.")
    if not _CONTAINER.fullmatch(container) or len(container) > _LONGEST_CONTAINER:
        hint = "3 to 63 lower-case letters and digits, with single hyphens between them."
        raise InvalidInput(f"{container!r} cannot be the name of a container", hint=hint)
    url = _checked_url(url) if url else None
    account = account or (account_of_url(url) if url else None)
    if not account:
        raise InvalidInput("the datastore has no storage account", hint="Name it with --account.")
    if not _ACCOUNT.fullmatch(account):
        hint = "3 to 24 lower-case letters and digits; a URL goes into --endpoint."
        raise InvalidInput(f"{_shown(account)} cannot be the name of a storage account", hint=hint)
    secret = checked_credential(kind, secret) if kind.needs_secret else None
    return BlobAccess(account=account, container=container, url=url or account_url(account), kind=kind, secret=secret)


def azurite_access(container: str | None, url: str | None = None) -> BlobAccess:
    """A container of the emulator, by default at its usual port, with the key that everybody knows."""
    key = Secret(_AZURITE_KEY)
    kind = CredentialKind.ACCOUNT_KEY
    return blob_access(account=_AZURITE_ACCOUNT, container=container, url=url or AZURITE_URL, kind=kind, secret=key)


def from_connection_string(text: Secret, container: str | None) -> BlobAccess:
    """From what the portal calls a connection string. Raises ``InvalidInput`` without quoting it."""
    fields = _fields(text)
    if fields.get("usedevelopmentstorage", "").casefold() == "true":
        return azurite_access(container)
    account = fields.get("accountname")
    url = fields.get("blobendpoint")
    if not url and not account:
        hint = "Copy it whole from the portal: AccountName=...;AccountKey=...;EndpointSuffix=..."
        raise InvalidInput("the connection string names no account", hint=hint)
    if not url:
        protocol, suffix = fields.get("defaultendpointsprotocol", "https"), fields.get("endpointsuffix")
        url = account_url(str(account), suffix=suffix or DEFAULT_SUFFIX, protocol=protocol)
    kind, secret = _way_in(fields)
    return blob_access(account=account, container=container, url=url, kind=kind, secret=secret)


def checked_credential(kind: CredentialKind, secret: Secret | None) -> Secret:
    """A key or a SAS in the form in which it is used. Raises ``InvalidInput`` for a text that cannot be one."""
    text = secret.reveal().strip() if secret else ""
    if kind is CredentialKind.ACCOUNT_KEY:
        try:
            is_key = bool(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            is_key = False
        if not is_key:
            hint = "Copy key1 or key2 of the storage account whole; a SAS goes into --sas-token."
            raise InvalidInput("the account key is not one: a key is base64 text", hint=hint)
        return Secret(text)
    text = text.rpartition("?")[2]
    if not text.isascii() or " " in text or not re.search(r"(?:^|&)sig=[^&]", text):
        hint = "Copy it whole: sv=...&sig=...; an account key goes into --account-key."
        raise InvalidInput("the SAS token is not one: it has no signature", hint=hint)
    return Secret(text)


def _fields(text: Secret) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.reveal().strip().strip(";").split(";")]
    if not all(equals and value for _name, equals, value in pairs):
        hint = "Copy it whole from the portal: AccountName=...;AccountKey=...;EndpointSuffix=..."
        raise InvalidInput("the connection string is not one: it is name=value pairs with ; between them", hint=hint)
    return {name.strip().casefold(): value.strip() for name, _equals, value in pairs}


def _way_in(fields: dict[str, str]) -> tuple[CredentialKind, Secret | None]:
    if "accountkey" in fields:
        return CredentialKind.ACCOUNT_KEY, Secret(fields["accountkey"])
    if "sharedaccesssignature" in fields:
        return CredentialKind.SAS, Secret(fields["sharedaccesssignature"])
    return CredentialKind.NONE, None


def _checked_url(text: str) -> str:
    """The URL of an account. What is wrong with it is said without the URL: it may hold a SAS."""
    hint = f"Write for example https://ACCOUNT.blob.{DEFAULT_SUFFIX} or {AZURITE_URL}."
    try:
        parts = urlsplit(text)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        has_host = False
    if not has_host or any(character.isspace() for character in text):
        raise InvalidInput("the endpoint is not the http or https URL of a storage account", hint=hint)
    if parts.query or parts.fragment or "@" in parts.netloc:
        hint = "Give the account's URL alone, and the SAS with --sas-token."
        raise InvalidInput("the endpoint holds more than the URL of a storage account", hint=hint)
    return text.rstrip("/")


def _shown(account: str) -> str:
    """A key or a URL with a SAS given for a name is not shown."""
    return repr(account) if len(account) <= 2 * 24 and "?" not in account else "that text"
