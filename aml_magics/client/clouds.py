"""Which Azure: the public one, the sovereign ones, or one that describes itself under a URL.

A token goes to the resource manager of a cloud and is made by that cloud's own authority, so these belong together and
are never mixed. The table is what the clouds publish about themselves under ``/metadata/endpoints``; a cloud that is
not in it is asked there. The environment variables are those of Microsoft's SDK v1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aml_magics.client.calls import read
from aml_magics.client.services import CLOUDS
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.wire.arm import Cloud, clouds_from

if TYPE_CHECKING:
    from aml_magics.client.reaching import Reach

__all__ = ["KNOWN", "find_cloud"]

_METADATA_VERSION = "2022-09-01"
KNOWN = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name="AzureCloud",
            arm="https://management.azure.com",
            audience="https://management.azure.com/",
            authority="https://login.microsoftonline.com",
            portal="https://portal.azure.com",
        ),
        Cloud(
            name="AzureChinaCloud",
            arm="https://management.chinacloudapi.cn",
            audience="https://management.chinacloudapi.cn/",
            authority="https://login.chinacloudapi.cn",
            portal="https://portal.azure.cn",
        ),
        Cloud(
            name="AzureUSGovernment",
            arm="https://management.usgovcloudapi.net",
            audience="https://management.usgovcloudapi.net/",
            authority="https://login.microsoftonline.us",
            portal="https://portal.azure.us",
        ),
    )
}


async def find_cloud(wanted: str | None, reach: Reach, environment: Mapping[str, str] = os.environ) -> Cloud:
    """The cloud of this name, the one whose resource manager is at this URL, or the one the environment names.

    Without any it is the public one. Raises ``InvalidInput`` for a name that is none.
    """
    if wanted is not None and "://" in wanted:
        base = wanted.rstrip("/")
        return next((one for one in KNOWN.values() if one.arm == base), None) or await _described(base, None, reach)
    name = wanted or environment.get("AZUREML_CURRENT_CLOUD") or ""
    described_at = environment.get("ARM_CLOUD_METADATA_URL")
    if described_at and name not in KNOWN:
        return await _described(described_at, name or None, reach)
    return _known(name or "AzureCloud")


def _metadata_url(address: str) -> str:
    """Where a cloud describes itself: the address of its resource manager, or that of the description itself."""
    return address if "/metadata/endpoints" in address else f"{address.rstrip('/')}/metadata/endpoints"


async def _described(address: str, name: str | None, reach: Reach) -> Cloud:
    url = _metadata_url(address)
    path, _, query = url.partition("?")
    versions = {} if query else {"api-version": _METADATA_VERSION}
    answer = await reach.ask(url if query else path, CLOUDS, query=versions)
    clouds = read("clouds", clouds_from, answer)
    if name is None:
        base = address.partition("/metadata/endpoints")[0].rstrip("/")
        return next((cloud for cloud in clouds if cloud.arm == base), clouds[0])
    found = next((cloud for cloud in clouds if cloud.name.casefold() == name.casefold()), None)
    if found is None:
        message = f"cloud: there is no cloud {name!r} at {address}"
        raise InvalidInput(message, hint=did_you_mean(name, [cloud.name for cloud in clouds]))
    return found


def _known(name: str) -> Cloud:
    lowered = {known.casefold(): cloud for known, cloud in KNOWN.items()}
    found = lowered.get(name.casefold())
    if found is None:
        message = f"cloud: there is no cloud {name!r}"
        raise InvalidInput(message, hint=f"{did_you_mean(name, KNOWN)} Or give the URL of its resource manager.")
    return found
