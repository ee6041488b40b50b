"""Pipeline endpoints in the v1 dialect: PipelineEndpointCreationInfo and PipelineEndpointEntity.

An entity goes both ways whole: who changes an endpoint sends back what was answered, with the change. The first version
is ``0``; who adds one counts on from the highest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import PipelineEndpoint
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1_resources import status_from

__all__ = ["endpoint_creation_from", "endpoint_from", "endpoint_to"]

_FIRST = "0"


def endpoint_creation_from(request: Mapping[str, Any]) -> PipelineEndpoint:
    """The endpoint of a PipelineEndpointCreationInfo, with ``id=""`` and one version, the default."""
    body = Body(request, "pipeline endpoint")
    return PipelineEndpoint(
        id="",
        name=body.text("Name"),
        description=body.text("Description"),
        versions={_FIRST: body.text("PipelineId")},
        default_version=_FIRST,
    )


def endpoint_to(endpoint: PipelineEndpoint) -> Json:
    """PipelineEndpointEntity."""
    return {
        "Id": endpoint.id,
        "Name": endpoint.name,
        "Description": endpoint.description,
        "DefaultVersion": endpoint.default_version,
        "PipelineVersionList": [
            {"Version": version, "PipelineId": pipeline_id} for version, pipeline_id in endpoint.versions.items()
        ],
        "Url": endpoint.endpoint,
        "EntityStatus": endpoint.status.value,
        "CreatedDate": instant_to(endpoint.created),
        "LastModifiedDate": instant_to(endpoint.modified),
    }


def endpoint_from(answer: Mapping[str, Any]) -> PipelineEndpoint:
    """The endpoint of a PipelineEndpointEntity. Raises ``InvalidInput`` for a version that is there twice."""
    body = Body(answer, "pipeline endpoint")
    versions: dict[str, str] = {}
    for item in body.bodies("PipelineVersionList"):
        version = item.text("Version")
        if version in versions:
            message = f"{item.what}: version {version!r} is there twice"
            raise InvalidInput(message, hint="Give each pipeline a version of its own.")
        versions[version] = item.text("PipelineId")
    return PipelineEndpoint(
        id=body.text("Id"),
        name=body.text("Name"),
        description=body.text("Description"),
        status=status_from(body.optional_text("EntityStatus")),
        versions=versions,
        default_version=body.text("DefaultVersion"),
        endpoint=body.text("Url"),
        created=instant_from(body.optional_text("CreatedDate")),
        modified=instant_from(body.optional_text("LastModifiedDate")),
    )
