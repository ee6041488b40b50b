"""Where the rooms meet: one ``Session`` owns the loop thread and whatever workspace is open on it.

In IPython there is one session a shell, kept on the shell object itself: module globals are re-executed by
``%reload_ext`` and by autoreload, and a second poller in the same kernel would do everything twice. A script gets a
session of its own for each ``connect()``. Closing is bounded in time and correct to skip: after a kill -9 the next
kernel finds everything in the database.
"""

from __future__ import annotations

import asyncio
import atexit
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aml_magics.background import Background
from aml_magics.model.errors import Conflict, InvalidInput, NotConnected

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from aml_magics.client.doctor import Finding
    from aml_magics.client.remote import Remote
    from aml_magics.client.sign_in import Tell
    from aml_magics.client.workspace import Workspace
    from aml_magics.embedded.serving import Served, Serving
    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.model.secret import Secret

__all__ = ["SHELL_ATTRIBUTE", "Session", "connect", "serve", "session_of"]

SHELL_ATTRIBUTE = "_aml_magics_session"
_CLOSE_SECONDS = 2.0  # a notebook server kills a kernel that takes longer than about 2.5 s to go


def connect(
    target: str | Path | None = None,
    *,
    token: Secret | str | None = None,
    ca: str | Path | None = None,
    config: str | Path | None = None,
    subscription: str | None = None,
    resource_group: str | None = None,
    workspace: str | None = None,
    cloud: str | None = None,
    sign_in: str | None = None,
    credential: object = None,
    executor: Executor | None = None,
    parallel_steps: int | None = None,
) -> Workspace:
    """Open a workspace and return it: one embedded in this process, one that a colleague serves, one on Azure.

    Embedded: ``target`` is the folder that holds (or will hold) its files, the current folder when it is ``None``: the
    database is ``.aml/workspace.db`` there, the default datastore the folder ``workspaceblobstore``. Steps run as
    processes on ``executor``, any ``concurrent.futures.Executor`` whose workers see the same files (a Dask or
    ipyparallel one included); by default on threads of this process, ``parallel_steps`` (4) at a time.

    Served with ``%aml serve``: ``target`` is its URL, ``token`` what it printed (else the environment's
    ``AML_MAGICS_TOKEN``).

    On Azure: ``config`` is a ``config.json``, or the folder to which one belongs, found as Microsoft's SDK finds it; or
    name ``subscription``, ``resource_group`` and ``workspace``. ``cloud`` is ``AzureCloud``, ``AzureChinaCloud``,
    ``AzureUSGovernment`` or the URL of a resource manager. Who is signed in already is found by azure-identity;
    ``sign_in`` asks a person, by ``device`` code or in the ``browser``; ``credential`` is any ``TokenCredential``,
    async ones too, and is closed with the workspace.

    ``ca`` is a PEM file with a certificate authority to trust besides the usual ones.

    In a notebook this is the very workspace that ``%aml`` works on: without saying which it is the one that is open, if
    one is. What fails leaves open what is open. Raises ``InvalidInput``, ``NotFound``, ``NotConnected`` (not signed in)
    or ``ServiceError``.

    >>> ws = aml_magics.connect()
    >>> ws.schedules.create(
    ...     name="MyRecurringSchedule", pipeline="train", experiment_name="MyExperiment", every="15 minutes"
    ... )
    """
    session = session_of(_current_shell())
    return session.connect(
        target,
        executor=executor,
        parallel_steps=parallel_steps,
        token=token,
        ca=ca,
        config=config,
        subscription=subscription,
        resource_group=resource_group,
        workspace=workspace,
        cloud=cloud,
        sign_in=sign_in,
        credential=credential,
    )


def serve(
    target: str | Path | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    token: Secret | None = None,
    tls: bool | None = None,
) -> Served:
    """Open the embedded workspace (as ``connect`` does) and serve it over HTTP, to notebooks and to the SDK v1.

    Without ``port`` it is any that is free. Without ``token`` it is a random one, the same from one time to the next in
    this folder; a caller without it gets a 401. ``host`` is an address of this machine, ``127.0.0.1`` if none is given;
    any but a loopback one lets others in who have the token. ``tls`` serves https with a certificate of its own. Raises
    ``InvalidInput`` for an address or a token that will not do, ``Conflict`` when it is served already at another one.

    >>> served = aml_magics.serve(port=8765)
    >>> served.url
    'http://127.0.0.1:8765'
    """
    if _is_address(target):
        message = "serve: that is the address of a workspace that is served already"
        raise InvalidInput(message, hint="Name the folder of one, or leave it out for the current folder.")
    session = session_of(_current_shell())
    session.connect(target)
    return session.serve(host=host, port=port, token=token, tls=tls)


def session_of(shell: object | None) -> Session:
    """The shell's own session, made on first use; a fresh one when there is no shell."""
    if shell is None:
        return Session()
    session: Session | None = getattr(shell, SHELL_ATTRIBUTE, None)
    if session is None:
        session = Session()
        setattr(shell, SHELL_ATTRIBUTE, session)
    return session


def _current_shell() -> object | None:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class _Closes(Protocol):
    def close(self) -> None: ...


class Session:
    """What is open now, if anything: at most one workspace."""

    def __init__(self) -> None:
        self._opened: _Opened | Remote | None = None
        self._shown: dict[str, _Closes] = {}

    def __repr__(self) -> str:
        return f"<Session {self.workspace.location if self.is_connected else 'not connected'}>"

    @property
    def is_connected(self) -> bool:
        return self._opened is not None and not self._opened.is_closed

    @property
    def workspace(self) -> Workspace:
        """The workspace that is open. Raises ``NotConnected`` when none is."""
        if self._opened is None or self._opened.is_closed:
            message = "no workspace is open"
            raise NotConnected(message, hint="Open one with %aml connect, or aml_magics.connect().")
        return self._opened.workspace

    def connect(
        self,
        target: str | Path | None = None,
        *,
        executor: Executor | None = None,
        parallel_steps: int | None = None,
        tell: Tell | None = None,
        **elsewhere: Any,  # noqa: ANN401 - those of the function connect
    ) -> Workspace:
        """Open the embedded workspace in the folder ``target``, or give the one that is open if it is the same.

        What is not given is no difference. Another folder, or other options, close what was open once the new one is
        there: its schedules stop firing and its running steps are ended. A URL, or any option that the function
        ``connect`` has for workspaces elsewhere, opens one of those in its place; ``tell`` says what a person has to do
        to sign in.
        """
        if _is_elsewhere(target, elsewhere):
            if executor is not None or parallel_steps is not None:
                message = "connect: an executor runs the steps of a workspace that is embedded here"
                raise InvalidInput(message, hint="Leave it out, or name a folder.")
            return self._connect_elsewhere(target, elsewhere, tell)
        given = {"executor": executor, "parallel_steps": parallel_steps}
        options = {name: value for name, value in given.items() if value is not None}
        _check_executor(executor)
        former = self._opened if self.is_connected else None
        if former is not None and target is None and options.items() <= former.options.items():
            return former.workspace
        root = (former.root if former is not None and target is None else None) or _folder(target)
        if former is not None and former.root == root and options.items() <= former.options.items():
            return former.workspace
        self._opened = _Opened(root, options)
        if former is not None:
            former.close()
        return self._opened.workspace

    def _connect_elsewhere(self, target: object, elsewhere: Mapping[str, Any], tell: Tell | None) -> Workspace:
        from aml_magics.client.remote import Remote, asked_for  # noqa: PLC0415 - httpx costs 0.2 s

        destination = asked_for(target, elsewhere)
        former = self._opened if self.is_connected else None
        if isinstance(former, Remote) and former.destination == destination:
            return former.workspace
        self._opened = Remote(destination, tell or _tell)
        if isinstance(former, Remote) and former.destination.credential is destination.credential:
            former.leave_credential()
        if former is not None:
            former.close()
        return self._opened.workspace

    def examine(self, target: object = None, *, tell: Tell | None = None, **elsewhere: Any) -> list[Finding]:  # noqa: ANN401
        """What ``%aml doctor`` finds out about what is open, or about the workspace that is named."""
        from aml_magics.client.doctor import examine  # noqa: PLC0415 - as above

        return examine(self._opened if self.is_connected else None, target, elsewhere, tell or _tell)

    @property
    def served(self) -> Served | None:
        """Where the open workspace is served, if it is."""
        return self._opened.served if isinstance(self._opened, _Opened) else None

    def serve(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        token: Secret | None = None,
        tls: bool | None = None,
    ) -> Served:
        """Serve the open workspace, or give where it is served already. What is not given is no difference."""
        workspace = self.workspace
        if not isinstance(self._opened, _Opened):
            message = f"serve: the workspace at {workspace.location} is not in this kernel"
            raise InvalidInput(message, hint="Open one with %aml connect FOLDER, and serve that.")
        given = {"host": host, "port": port or None, "token": token, "tls": tls}
        return self._opened.serve({name: value for name, value in given.items() if value is not None})

    def stop_serving(self) -> None:
        """Serve nothing any more; the workspace stays open."""
        if isinstance(self._opened, _Opened):
            self._opened.stop_serving()

    def show(self, kind: str, shown: _Closes) -> None:
        """Remember what is shown on the workspace, until another of its kind is: that closes the former one.

        Widgets live as long as the kernel unless somebody closes them.
        """
        former = self._shown.get(kind)
        self._shown[kind] = shown
        if former is not None:
            former.close()

    def close(self) -> None:
        """Close what is open and what is shown of it. Closing twice is harmless."""
        for shown in self._shown.values():
            shown.close()
        self._shown.clear()
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class _Opened:
    """One open workspace: its loop thread, the files and processes on it, and the end of all of them."""

    def __init__(self, root: Path, options: dict[str, Any]) -> None:
        from aml_magics.client.workspace import open_embedded  # noqa: PLC0415 - httpx and starlette cost 0.2 s
        from aml_magics.embedded.workspace import EmbeddedWorkspace  # noqa: PLC0415 - as above

        self.root = root
        self.options = options
        self.is_closed = False
        self.served: Served | None = None
        self._serving: Serving | None = None
        self._embedded: EmbeddedWorkspace | None = None
        self._leave: Callable[[], Awaitable[None]] | None = None
        self._background = Background()
        atexit.register(self.close)
        try:
            self._embedded = self._background.call(_started(EmbeddedWorkspace, {"root": root, **options}))
            self.workspace = open_embedded(
                self._embedded.app,
                self._background.call,
                location=str(root),
                spawn=self._background.spawn,
                close=self.close,
            )
            self._leave = self.workspace.leave
        except BaseException:
            self.close()
            raise

    def serve(self, asked: dict[str, Any]) -> Served:
        from aml_magics.embedded.serving import Serving  # noqa: PLC0415 - uvicorn is needed here only

        assert self._embedded is not None  # noqa: S101 - for the type checker
        if self._serving is not None and self.served is not None:
            if not self._serving.is_what(asked):
                message = f"serve: the workspace is served already, at {self.served.url}"
                raise Conflict(message, hint="Stop that first: %aml serve --stop.")
            return self.served
        serving = Serving(self._embedded, **asked)
        self.served = replace(self._background.call(serving.start()), stop=self.stop_serving)
        self._serving = serving
        return self.served

    def stop_serving(self) -> None:
        """Answer nothing more on the port. Twice is harmless."""
        serving, self._serving, self.served = self._serving, None, None
        if serving is not None and self._background.running:
            with suppress(TimeoutError):
                self._background.call(serving.stop(), timeout=_CLOSE_SECONDS)

    def close(self) -> None:
        """Stop the engine, end the running steps, stop the loop thread. Bounded in time; closing twice is harmless."""
        atexit.unregister(self.close)
        if self.is_closed:
            return
        self.is_closed = True
        try:
            if self._embedded is not None and self._background.running:  # in a forked child it does not run
                with suppress(TimeoutError):  # what is left is taken over by the next kernel
                    self._background.call(self._stopped(), timeout=_CLOSE_SECONDS)
        finally:
            self._background.stop()

    async def _stopped(self) -> None:
        """First what asks, then what answers."""
        if self._leave is not None:
            await self._leave()
        async with asyncio.TaskGroup() as group:
            if self._embedded is not None:
                group.create_task(self._embedded.stop())
            if self._serving is not None:
                group.create_task(self._serving.stop())


async def _started(kind: type[EmbeddedWorkspace], options: dict[str, Any]) -> EmbeddedWorkspace:
    # Constructed on the loop thread: its database connection belongs to that thread.
    workspace = kind(**options)
    try:
        await workspace.start()
    except BaseException:
        await workspace.stop()
        raise
    return workspace


def _is_address(target: object) -> bool:
    return isinstance(target, str) and "://" in target


def _is_elsewhere(target: object, elsewhere: Mapping[str, object]) -> bool:
    return _is_address(target) or any(value is not None for value in elsewhere.values())


def _tell(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _folder(target: str | Path | None) -> Path:
    text = str(target or ".")
    try:
        folder = Path(text).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        message = f"connect: the folder {text!r} cannot be looked up, or the current one is gone"
        raise InvalidInput(message, hint="Change to a folder that is there, or name one.") from error
    if not folder.is_dir():
        message = f"connect: there is no folder {folder.as_posix()!r}"
        hint = "Create it first, or leave the name out for the current folder."
        raise InvalidInput(message, hint="A URL begins with http:// or https://." if ":" in text else hint)
    return folder


def _check_executor(executor: object) -> None:
    if executor is not None and not callable(getattr(executor, "submit", None)):
        message = f"connect: {executor!r} is no executor"
        raise InvalidInput(message, hint="Give a concurrent.futures.Executor, such as a Dask client's get_executor().")
