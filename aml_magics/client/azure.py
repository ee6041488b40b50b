"""The way to a workspace on Azure, step by step: cloud, identity, resource, services.

Each step is a method of its own, because ``%aml doctor`` wants to know which one fails. Workspaces are told apart by
their ARM scope: two of one session share nothing but what discovery remembers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aml_magics.client.addresses import is_overheard
from aml_magics.client.arm import Manager, Where
from aml_magics.client.calls import read, values_of_pages
from aml_magics.client.discovery import Discoveries, discover
from aml_magics.client.services import ARM, LINK
from aml_magics.model.errors import NotFound, ServiceError
from aml_magics.wire.arm import Permission, Resource, Services, permissions_from, resource_from

if TYPE_CHECKING:
    from aml_magics.client.config_file import Place
    from aml_magics.client.identity import Identity
    from aml_magics.client.reaching import Reach
    from aml_magics.client.transport import Transport
    from aml_magics.wire.arm import Cloud

__all__ = ["AzureWay"]

_WORKSPACE_VERSION = "2022-05-01"
_PERMISSIONS_VERSION = "2022-04-01"
_PERMISSIONS = "/providers/Microsoft.Authorization/permissions"


class AzureWay:
    """From the name of a workspace to the transport of its services. ``close`` ends what it has open.

    Raises ``ServiceError`` when the cloud's resource manager is reached without encryption.
    """

    def __init__(
        self, place: Place, cloud: Cloud, identity: Identity, reach: Reach, discoveries: Discoveries | None = None
    ) -> None:
        _check_is_private("the cloud", cloud.arm)
        self.place = place
        self.cloud = cloud
        self.identity = identity
        self._reach = reach
        self._discoveries = discoveries or Discoveries()
        self.arm = reach.transport(cloud.arm, scope=place.scope, tokens=identity)

    async def resource(self) -> Resource:
        """The workspace's resource. Raises ``NotFound``, ``NotConnected``, ``ServiceError``."""
        try:
            answer = await self.arm.json("GET", ARM, "", query={"api-version": _WORKSPACE_VERSION})
        except NotFound as error:
            error.hint = "Check the subscription, the resource group and the name, and in which tenant you are."
            raise
        return read("the workspace", resource_from, answer)

    async def services(self, resource: Resource, *, anew: bool = False) -> Services:
        """Where its services are: as it is remembered, or asked for ``anew``."""
        known = None if anew else self._discoveries.get(resource)
        if known is not None:
            return known
        services = await discover(resource, self._reach)
        for url in (services.api, services.history):
            _check_is_private("discovery", url)
        self._discoveries.put(resource, services)
        return services

    async def permissions(self) -> list[Permission]:
        """What the account may do in the workspace.

        Of the address of a next page only the query is taken, so the token goes where it belongs whatever is in it.
        """

        async def page(link: str | None) -> Any:  # noqa: ANN401 - JSON is whatever came
            query = {"api-version": _PERMISSIONS_VERSION} | dict(parse_qsl((link or "").partition("?")[2]))
            return await self.arm.json("GET", ARM, _PERMISSIONS, query=query)

        answer = {"value": await values_of_pages(page, next_page="nextLink")}
        return read("permissions", permissions_from, answer)

    async def transport(self, resource: Resource, services: Services) -> Transport:
        """The way to the services; addresses that cannot be reached are asked for once more."""

        async def elsewhere() -> Services | None:
            try:
                return await self.services(resource, anew=True)
            except (ServiceError, NotFound):
                return None

        return self._reach.transport(
            services.api,
            scope=self.place.scope,
            history=services.history,
            tokens=self.identity,
            elsewhere=elsewhere,
        )

    def manager(self) -> Manager:
        """The resource manager beside the workspace, as the account of the workspace."""

        async def ask(url: str) -> Any:  # noqa: ANN401 - JSON is whatever came
            return await self._reach.ask(url, LINK)

        where = Where(self.place.subscription, self.place.resource_group)
        return Manager(self.arm, where, ask, sleep=self._reach.sleep)

    async def close(self, *, leaves_credential: bool = False) -> None:
        await self.arm.close()
        if not leaves_credential:
            await self.identity.close()


def _check_is_private(who: str, url: str) -> None:
    """A token goes there, so nobody on the way may read it. Raises ``ServiceError``."""
    if is_overheard(url):
        message = f"{who} names an address without encryption, and an access token is not sent there"
        raise ServiceError(message, status=200, hint="Check the address, and the proxy if there is one.")
