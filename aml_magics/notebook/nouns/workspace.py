"""``%aml connect``, ``%aml status`` and ``%aml doctor``: which workspace, and how it does."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option, Positional, Verb

__all__ = ["CONNECT", "DOCTOR", "ELSEWHERE", "STATUS"]

ELSEWHERE = (
    Option(name="token", value="{TOKEN}", is_secret=True, help="of a URL; default: the environment's AML_MAGICS_TOKEN"),
    Option(name="ca", value="FILE", read=values.anything, completes="file", help="PEM file of an authority to trust"),
    Option(
        name="config",
        value="FILE|FOLDER",
        read=values.anything,
        completes="file",
        help="the config.json of a workspace on Azure, or the folder to which one belongs",
    ),
    Option(name="subscription", value="ID", help="instead of a config.json: the subscription's id"),
    Option(name="resource-group", value="NAME", help="... its resource group"),
    Option(name="workspace", value="NAME", help="... its name"),
    Option(
        name="cloud",
        value="NAME|URL",
        completes="cloud",
        help="AzureCloud, AzureChinaCloud, AzureUSGovernment, or a resource manager's URL",
    ),
    Option(
        name="sign-in",
        value="HOW",
        choices=("auto", "device", "browser"),
        help="who is signed in already, or a person now",
    ),
    Option(
        name="credential", value="{CREDENTIAL}", read=values.anything, help="a credential of azure-identity, instead"
    ),
)

CONNECT = Verb(
    name="connect",
    help="open a workspace: in this kernel, at a URL, or on Azure",
    handler="workspace:connect",
    positionals=(
        Positional(
            name="FOLDER|URL",
            help="the folder that holds the workspace, or where one is served; default: the current folder",
            required=False,
            read=values.anything,
            completes="file",
        ),
    ),
    options=(
        *ELSEWHERE,
        Option(
            name="executor",
            value="{EXECUTOR}",
            read=values.anything,
            help="a concurrent.futures.Executor that runs the steps, Dask's too",
        ),
        Option(
            name="parallel-steps",
            value="N",
            read=values.whole_number,
            help="how many steps run at a time; default 4",
        ),
    ),
    details=(
        "In a folder its database is .aml/workspace.db, its datastore the folder workspaceblobstore. "
        "No account, no set-up: the first command that needs a workspace opens the one of the current folder. "
        "A URL is a workspace that somebody serves with %aml serve. On Azure whoever is signed in to the Azure CLI, "
        "Visual Studio Code or the machine is signed in here; %aml doctor says what is missing."
    ),
    examples=(
        "%aml connect",
        "%aml connect ~/project --parallel-steps 2",
        "%aml connect http://127.0.0.1:8765 --token {TOKEN}",
        "%aml connect --config config.json",
        "%aml connect --subscription ID --resource-group NAME --workspace NAME --sign-in device",
    ),
)

STATUS = Verb(
    name="status", help="what is open, and how it does", handler="workspace:status", examples=("%aml status",)
)

DOCTOR = Verb(
    name="doctor",
    help="look at everything that can be wrong, and say what to do",
    handler="doctor:doctor",
    positionals=(
        Positional(
            name="URL",
            help="a served workspace to look at; default: what is open",
            required=False,
            read=values.anything,
        ),
    ),
    options=ELSEWHERE,
    details=(
        "This kernel, and the workspace that is open or named: config.json, who is signed in, the resource manager, "
        "discovery, each permission, pipelines, schedules, the default datastore, the clock. It changes nothing."
    ),
    examples=("%aml doctor", "%aml doctor --config ."),
)
