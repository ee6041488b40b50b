"""Options that the nouns ``logic-app`` and ``data-factory`` share."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option

__all__ = ["FACTORY", "GROUP", "ROLES", "RUN", "TIMEOUT", "VALUES"]

GROUP = Option(
    name="resource-group",
    value="NAME",
    read=values.reference,
    aliases=("-g",),
    help="where it is; default: the workspace's resource group",
)
FACTORY = Option(
    name="factory",
    value="NAME",
    read=values.reference,
    completes="factory",
    help="the data factory; default: the only one of the resource group",
)
VALUES = Option(name="parameter", value="NAME=VALUE", pairs=True, help="a value of parameters.json; may be repeated")
ROLES = Option(name="roles", help="give its identity the roles of roles.json too")
TIMEOUT = Option(
    name="timeout", value="SPAN", read=values.seconds, help="how long to watch it; default 15 minutes. It goes on after"
)
RUN = Option(name="run", value="ID", read=values.reference, help="what happened in this run")
