"""What a kernel said: single messages, and the ones of one cell read as a person would see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.kernels import Kernel


@dataclass(frozen=True, slots=True)
class Message:
    """One IOPub message: when it came (``time.monotonic``), its type, the request it belongs to, its content."""

    arrived: float
    kind: str
    parent: str
    content: dict[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any], arrived: float) -> Message:
        """Read a message as ``jupyter_client`` gives it."""
        parent = raw["parent_header"].get("msg_id", "")
        return cls(arrived=arrived, kind=raw["header"]["msg_type"], parent=parent, content=raw["content"])

    def idle_of(self, request: str) -> bool:
        """Whether the kernel says here that it is done with that request."""
        return self.parent == request and self.kind == "status" and self.content["execution_state"] == "idle"


@dataclass(frozen=True, slots=True)
class CellError:
    """What ended a cell: the exception's name, its text, and the traceback as it is shown."""

    name: str
    value: str
    traceback: str


class Cell:
    """A cell that was sent. Its outputs may be looked at while it runs."""

    def __init__(self, kernel: Kernel, request: str, code: str) -> None:
        self.request = request
        self.code = code
        self.reply: dict[str, Any] | None = None
        self._kernel = kernel

    def wait(self, timeout: float = 60.0) -> Cell:
        """Until the kernel has answered and said all; TimeoutError when it does not."""
        self.reply = self._kernel.reply(self.request, timeout)
        self._kernel.wait_for(lambda message: message.idle_of(self.request), timeout=timeout, what="the cell's end")
        return self

    @property
    def messages(self) -> list[Message]:
        """All IOPub messages that belong to this cell."""
        return [message for message in list(self._kernel.messages) if message.parent == self.request]

    @property
    def stdout(self) -> str:
        """What the cell printed."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """What the cell printed as errors or warnings."""
        return self._stream("stderr")

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The bundles that the cell displayed or returned, each by MIME type."""
        shown = ("display_data", "execute_result", "update_display_data")
        return [message.content["data"] for message in self.messages if message.kind in shown]

    @property
    def text(self) -> str:
        """The outputs as plain text."""
        return "\n".join(bundle.get("text/plain", "") for bundle in self.outputs)

    @property
    def error(self) -> CellError | None:
        """What ended the cell, if anything did."""
        for message in self.messages:
            if message.kind == "error":
                content = message.content
                return CellError(content["ename"], content["evalue"], "\n".join(content["traceback"]))
        return None

    def _stream(self, name: str) -> str:
        streams = [message.content for message in self.messages if message.kind == "stream"]
        return "".join(content["text"] for content in streams if content["name"] == name)
