"""Which cloud: by name, by URL, by the environment of Microsoft's SDK; and what is sent where."""

import asyncio

import httpx
import pytest

from aml_magics.client.clouds import KNOWN, find_cloud
from aml_magics.client.reaching import Reach
from aml_magics.model.errors import InvalidInput, ServiceError

METADATA = [
    {
        "name": name,
        "portal": "https://portal.example",
        "resourceManager": f"https://{name.lower()}.example/",
        "authentication": {"loginEndpoint": "https://login.example", "audiences": [f"https://{name.lower()}/", "x"]},
    }
    for name in ("First", "Second")
]


class Metadata:
    def __init__(self, answer=METADATA, status=200):
        self.asked = []
        self._answer, self._status = answer, status

    async def __call__(self, request):
        self.asked.append(request)
        return httpx.Response(self._status, json=self._answer)


def find(wanted=None, environment=None, network=None):
    network = network or Metadata()

    async def go():
        return await find_cloud(wanted, Reach(network=httpx.MockTransport(network), sleep=no_sleep), environment or {})

    return asyncio.run(go())


async def no_sleep(_seconds):
    pass


@pytest.mark.parametrize(
    ("name", "arm", "authority", "scope"),
    [
        (
            "AzureCloud",
            "https://management.azure.com",
            "https://login.microsoftonline.com",
            "https://management.azure.com/.default",
        ),
        (
            "azurechinacloud",
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
        (
            "AzureUSGovernment",
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            "https://management.usgovcloudapi.net/.default",
        ),
    ],
)
def test_a_cloud_of_the_table_is_not_asked_for(name, arm, authority, scope):
    network = Metadata()
    found = find(name, network=network)
    assert (found.arm, found.authority, found.scope) == (arm, authority, scope)
    assert network.asked == []


def test_the_public_cloud_is_meant_when_nothing_is_said():
    assert find() is KNOWN["AzureCloud"]
    assert find("https://management.usgovcloudapi.net/") is KNOWN["AzureUSGovernment"]


def test_another_resource_manager_describes_itself_and_its_own_entry_counts():
    network = Metadata()
    found = find("https://second.example", network=network)
    assert (found.name, found.arm, found.audience) == ("Second", "https://second.example", "https://second/")
    (request,) = network.asked
    assert request.url.path == "/metadata/endpoints"
    assert request.url.params["api-version"]
    assert "authorization" not in request.headers


def test_a_resource_manager_under_an_alias_is_the_first_that_it_describes():
    assert find("https://alias.example").name == "First"


def test_the_environment_of_the_sdk_names_the_description_and_the_cloud():
    network = Metadata()
    url = "https://any.example/metadata/endpoints?api-version=2019-05-01"
    environment = {"ARM_CLOUD_METADATA_URL": url, "AZUREML_CURRENT_CLOUD": "second"}
    assert find(environment=environment, network=network).name == "Second"
    assert str(network.asked[0].url) == url
    assert find(environment={"AZUREML_CURRENT_CLOUD": "AzureChinaCloud"}) is KNOWN["AzureChinaCloud"]
    with pytest.raises(InvalidInput, match="no cloud 'Third'"):
        find(environment=environment | {"AZUREML_CURRENT_CLOUD": "Third"})


def test_a_name_that_is_none_is_refused_with_the_nearest_one():
    with pytest.raises(InvalidInput, match=r"no cloud 'AzureChina'.*AzureChinaCloud"):
        find("AzureChina")


@pytest.mark.parametrize("answer", [[], {}, [{}], [{"name": "x"}], [METADATA[0] | {"resourceManager": ""}]])
def test_a_description_that_is_none_is_one_line(answer):
    with pytest.raises(ServiceError, match="clouds cannot be read"):
        find("https://second.example", network=Metadata(answer))
