"""The README of an export: what it is, the four commands, what differs from the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aml_magics.model.change import DatastoreChange

if TYPE_CHECKING:
    from aml_magics.export.arm import Parameters
    from aml_magics.export.source import Source

__all__ = ["Commands", "data_factory_readme", "logic_app_readme"]

Commands = tuple[tuple[str, str], ...]
_GROUP = "RESOURCE_GROUP"


def logic_app_readme(
    source: Source, name: str, parameters: Parameters, differences: Sequence[str], of_roles: Sequence[str]
) -> tuple[Commands, str]:
    """The commands, and the text."""
    enable = _rest(source, f"Microsoft.Logic/workflows/{name}/enable?api-version=2019-05-01")
    commands = _commands(source, parameters, of_roles, [("Enable it: from now on it fires", enable)])
    what = f"A Logic App for the schedule `{source.schedule.name}`: {source.schedule.trigger.in_words()}."
    later = (
        f"It is made Disabled. A new role may take up to an hour to count. Then look why it did or did not fire with "
        f"`%aml logic-app history {name}`, and run it in a notebook first with `%aml logic-app run {name}`."
    )
    return commands, _page(f"{name}: a Logic App", what, commands, later, differences)


def data_factory_readme(
    source: Source,
    name: str,
    parameters: Parameters,
    differences: Sequence[str],
    of_roles: Sequence[str],
    triggers: Sequence[str],
) -> tuple[Commands, str]:
    """As ``logic_app_readme``."""
    factory = parameters.values.get("factoryName", {}).get("value", "FACTORY")
    base = f"Microsoft.DataFactory/factories/{factory}/triggers"
    starts = [
        ("Start its trigger: from now on it fires", _rest(source, f"{base}/{trigger}/start?api-version=2018-06-01"))
        for trigger in triggers
    ]
    commands = _commands(source, parameters, of_roles, starts)
    what = f"A Data Factory pipeline for the schedule `{source.schedule.name}`: {source.schedule.trigger.in_words()}."
    later = (
        "The data factory must be there and have a system-assigned identity. The trigger is made Stopped. A new role "
        f"may take up to an hour to count. "
        f"Run it in a notebook first with `%aml data-factory run {name}{_named(source, triggers)}`."
    )
    return commands, _page(f"{name}: a Data Factory pipeline", what, commands, later, differences)


def _named(source: Source, triggers: Sequence[str]) -> str:
    """The trigger that runs it: a run without an event has no file to give."""
    return f" --trigger {triggers[0]}" if isinstance(source.schedule.trigger, DatastoreChange) else ""


def _commands(
    source: Source, parameters: Parameters, of_roles: Sequence[str], last: Sequence[tuple[str, str]]
) -> Commands:
    create = f"az deployment group create --resource-group {_GROUP}"
    return (
        ("Sign in", f"az login && az account set --subscription {source.place.subscription or 'SUBSCRIPTION'}"),
        (
            "Deploy it",
            f"{create} --template-file template.json --parameters @parameters.json{_given(parameters.unknown)}",
        ),
        ("Give its identity the roles", f"{create} --template-file roles.json{_given(of_roles, alone=True)}"),
        *last,
    )


def _given(names: Sequence[str], *, alone: bool = False) -> str:
    """What is still to be filled in, on the command line."""
    pairs = " ".join(f"{name}=..." for name in names)
    return f" --parameters {pairs}" if pairs and alone else f" {pairs}" if pairs else ""


def _rest(source: Source, path: str) -> str:
    subscription = source.place.subscription or "SUBSCRIPTION"
    url = f"{source.place.manager}/subscriptions/{subscription}/resourceGroups/{_GROUP}/providers/{path}"
    return f'az rest --method post --url "{url}"'


def _page(title: str, what: str, commands: Commands, later: str, differences: Sequence[str]) -> str:
    steps = [f"{number}. {words}:\n\n       {line}\n" for number, (words, line) in enumerate(commands, 1)]
    return "\n".join(
        [
            f"# {title}\n",
            f"{what} Made by aml_magics.\n",
            f"`{_GROUP}` is where it is to be; `...` and words in capitals are yours to fill in.\n",
            *steps,
            f"{later}\n",
            "## What differs from the schedule\n",
            *(f"* {one}" for one in differences),
            "",
        ]
    )
