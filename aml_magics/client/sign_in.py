"""Making a credential of azure-identity, and signing in where a person has to do it.

``auto`` is ``DefaultAzureCredential``: whoever is signed in already. With ``device`` and ``browser`` a person signs in
now, on the thread that calls (its output belongs to the right cell, Kernel > Interrupt ends it); later renewals are
silent, or fail: nothing asks in the middle of another cell. azure-identity takes a third of a second to import and is
needed for Azure only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.client.failures import without_frames
from aml_magics.datastores.signing_in import not_signed_in, quieten
from aml_magics.model.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from aml_magics.wire.arm import Cloud

__all__ = ["WAYS", "Tell", "make_credential"]

WAYS = ("auto", "device", "browser")
Tell = Callable[[str], object]


def make_credential(way: str | None, cloud: Cloud, tell: Tell) -> Any:  # noqa: ANN401 - azure-identity is not typed here
    """A credential, signed in when that takes a person; ``tell`` says what the person has to do.

    Raises ``InvalidInput`` for a way that is none, ``NotConnected`` when signing in fails.
    """
    quieten()
    if way in (None, "auto"):
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - see above

        return DefaultAzureCredential(authority=cloud.authority)
    if way == "device":
        from azure.identity import DeviceCodeCredential  # noqa: PLC0415 - see above

        return _signed_in(DeviceCodeCredential, cloud, prompt_callback=lambda *told: tell(_device_prompt(*told)))
    if way == "browser":
        from azure.identity import InteractiveBrowserCredential  # noqa: PLC0415 - see above

        tell("A browser window asks you to sign in; interrupt to give up.\n")
        return _signed_in(InteractiveBrowserCredential, cloud)
    message = f"sign_in: {way!r} is no way to sign in"
    raise InvalidInput(message, hint=did_you_mean(str(way), WAYS))


def _signed_in(kind: Callable[..., Any], cloud: Cloud, **options: Any) -> Any:  # noqa: ANN401 - as above
    try:
        credential = kind(authority=cloud.authority, disable_automatic_authentication=True, **options)
        credential.authenticate(scopes=[cloud.scope])
    except Exception as error:  # noqa: BLE001 - whatever its libraries raise
        raise not_signed_in(error) from without_frames(error)
    return credential


def _device_prompt(address: str, code: str, expires: datetime) -> str:
    return f"To sign in open {address} and enter the code {code} (good until {expires:%H:%M} UTC).\n"
