"""The pages of a blob listing, as the service sends them.

Each request is signed by the very policy that azure-storage-blob signs with, and goes over a kept connection, in the
thread of whoever asks. What is wrong for a moment is asked for again: a connection that the service has dropped (the
first time at once), an answer cut short, and the answers that mean "not now". A page that is whole but makes no sense
is not asked for again, and ends the listing: taken for the end of it, it would look as if blobs had been removed.

The service's version steps down until the service knows it, and stays there. The newest one may be answered in Arrow.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from aml_magics.datastores.blob_arrow import MEDIA_TYPE, ArrowPage, read_arrow
from aml_magics.datastores.blob_errors import azure_errors, failure, refusal
from aml_magics.datastores.blob_xml import CutShort, MalformedPage, Page, read_page
from aml_magics.model.errors import AmlError
from aml_magics.model.secret import redacted

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest
    from azure.storage.blob import ContainerClient
    from urllib3 import PoolManager

__all__ = ["VERSIONS", "BlobPages"]

STARTS_ANYWHERE = "2026-02-06"  # since then the service knows ``startFrom``
ARROW = "2026-10-06"  # since then it answers in Arrow, if it likes
VERSIONS = (ARROW, STARTS_ANYWHERE, "2024-08-04")  # the last one every emulator of the last years knows
WAITS = (0.0, 0.5, 1.0, 2.0)  # seconds before the second attempt and those after it
LONGEST_WAIT = 10.0
TIMEOUT = 60.0
CONNECTIONS = 16  # kept, for listings side by side
_NOT_NOW = frozenset((408, 429, 500, 502, 503, 504))
_ACTION = "list the objects"
_CODE, _MESSAGE = re.compile(rb"<Code>([^<]*)</Code>"), re.compile(rb"<Message>([^<]*)")


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        found = _CODE.search(self.body)
        return self.headers.get("x-ms-error-code") or (found[1].decode(errors="replace") if found else "")

    @property
    def is_arrow(self) -> bool:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == MEDIA_TYPE

    @property
    def message(self) -> str:
        found = _MESSAGE.search(self.body)
        return found[1].decode(errors="replace") if found else ""

    @property
    def wait(self) -> float | None:
        asked = self.headers.get("Retry-After", "")
        return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else None


class BlobPages:
    """The listings of one container. ``where`` is its address as messages show it; ``page_size`` is at most 5,000."""

    def __init__(
        self,
        client: ContainerClient,
        where: str,
        *,
        page_size: int | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._where = where
        self._page_size = str(page_size or "")
        self._sleep = sleep
        self._version = 0
        self.ends_anywhere = False  # whether the service heeds ``end_before``, going by its last page
        self._pool = _pool(client.url)
        _hide_signatures()

    @property
    def starts_anywhere(self) -> bool:
        """Whether the service heeds ``start_from``. Known after the first page; before that, hoped for."""
        return VERSIONS[self._version] >= STARTS_ANYWHERE

    def pages(
        self, prefix: str, *, delimiter: str = "", start_from: str = "", end_before: str = ""
    ) -> Iterator[Page | ArrowPage]:
        """Page after page, each of them whole. AmlError when one cannot be had."""
        query = {"prefix": prefix, "delimiter": delimiter, "startFrom": start_from, "endBefore": end_before}
        query["maxresults"] = self._page_size
        seen: set[str] = set()
        while True:
            page = self._page(query)
            self.ends_anywhere = isinstance(page, ArrowPage)
            yield page
            if not page.marker:
                return
            if page.marker in seen:
                raise failure(_ACTION, self._where, MalformedPage("the service sends the same NextMarker again"))
            seen.add(page.marker)
            query["marker"] = page.marker

    def close(self) -> None:
        """Close the kept connection."""
        for key in self._pool.pools.keys():  # noqa: SIM118 - it is no dictionary, and does not iterate
            self._pool.pools[key].close()  # ``clear`` leaves that to the garbage collector
        self._pool.clear()

    def _page(self, query: Mapping[str, str]) -> Page | ArrowPage:
        waits = iter(WAITS)
        while True:
            try:
                return self._attempt(query)
            except _TryAgainError as again:
                wait = next(waits, None)
                if wait is None:
                    raise again.reason from again.__cause__
                self._sleep(wait if again.wait is None else again.wait)

    def _attempt(self, query: Mapping[str, str]) -> Page | ArrowPage:
        try:
            answer = self._ask(query)
            while answer.status == 200 and answer.is_arrow:
                if page := read_arrow(answer.body):
                    return page
                self._step_down(VERSIONS.index(ARROW))  # an Arrow that we do not know: older versions answer in XML
                answer = self._ask(query)
            if answer.status == 200:
                return read_page(answer.body, has_prefixes=bool(query["delimiter"]))
        except CutShort as error:
            raise _TryAgainError(failure(_ACTION, self._where, error)) from error
        except MalformedPage as error:
            raise failure(_ACTION, self._where, error) from error
        reason = refusal(_ACTION, self._where, answer.status, answer.code, answer.message)
        raise _TryAgainError(reason, answer.wait) if answer.status in _NOT_NOW else reason

    def _ask(self, query: Mapping[str, str]) -> _Answer:
        """The answer, of whatever status, in the newest version that the service knows."""
        while True:
            version = self._version
            answer = self._send(query, VERSIONS[version])
            is_known = answer.status != 400 or answer.code != "InvalidHeaderValue"
            if is_known or version + 1 == len(VERSIONS):
                return answer
            self._step_down(version)

    def _step_down(self, version: int) -> None:
        """Not that version again. Another listing, in another thread, may have found out before us."""
        self._version = max(self._version, version + 1)

    def _send(self, query: Mapping[str, str], version: str) -> _Answer:
        from urllib3.exceptions import HTTPError, ProtocolError  # noqa: PLC0415 - loaded with the client

        request = self._request(query, version)
        policy = self._client._credential_policy
        with azure_errors(_ACTION, self._where):
            if policy is not None:
                policy.on_request(request)
        try:
            answer = self._exchange(request)
            if answer.status == 401 and hasattr(policy, "on_challenge"):
                with azure_errors(_ACTION, self._where):
                    challenged = policy.on_challenge(request, _for_policy(answer))
                answer = self._exchange(request) if challenged else answer
        except ProtocolError as error:
            raise CutShort(_in_words(error)) from error
        except HTTPError as error:
            raise failure(_ACTION, self._where, error) from error
        return answer

    def _request(self, query: Mapping[str, str], version: str) -> PipelineRequest[Any]:
        from azure.core.pipeline import PipelineContext, PipelineRequest  # noqa: PLC0415 - loaded with the client
        from azure.core.pipeline.transport import HttpRequest  # noqa: PLC0415

        asked = {"restype": "container", "comp": "list", "include": "metadata", **query}
        text = urlencode({key: value for key, value in asked.items() if value}, quote_via=quote, safe="")
        url = self._client.url  # a SAS is its query
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": version}
        request = HttpRequest("GET", url + ("&" if urlsplit(url).query else "?") + text, headers=headers)
        return PipelineRequest(request, PipelineContext(None))

    def _exchange(self, request: PipelineRequest[Any]) -> _Answer:
        sent = request.http_request
        accepted = f"{MEDIA_TYPE},application/xml" if sent.headers["x-ms-version"] >= ARROW else "application/xml"
        headers = {**sent.headers, "Accept": accepted, "Accept-Encoding": "identity"}
        answer = self._pool.request("GET", sent.url, headers=headers, redirect=False)
        return _Answer(answer.status, answer.headers, answer.data)


class _TryAgainError(Exception):
    """Something that may be over soon. ``wait``: in how many seconds, if the service said so. Never leaves here."""

    def __init__(self, reason: AmlError, wait: float | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait = wait


def _for_policy(answer: _Answer) -> SimpleNamespace:
    """An answer in the shape that a policy of azure-core reads."""
    return SimpleNamespace(http_response=SimpleNamespace(status_code=answer.status, headers=answer.headers))


def _in_words(error: Exception) -> str:
    text = str(error)
    return "the answer was cut short" if "IncompleteRead" in text or "Invalid chunk" in text else "the connection broke"


class _NoSignatures(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        return True


_NO_SIGNATURES = _NoSignatures()


def _hide_signatures() -> None:
    """At level DEBUG urllib3, which also carries the library's own requests, logs addresses whole: a SAS is in them."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_NO_SIGNATURES)  # once: the same filter is not added again


def _pool(url: str) -> PoolManager:
    """Connections that trust, and go through proxies, as those of azure-core do."""
    import certifi  # noqa: PLC0415 - with the next, what the first listing loads
    import urllib3  # noqa: PLC0415

    place = urlsplit(url)
    proxy = None if proxy_bypass(place.hostname or "") else getproxies().get(place.scheme)
    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
    options: dict[str, Any] = {"ca_certs": trusted, "retries": False, "timeout": TIMEOUT, "maxsize": CONNECTIONS}
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
