"""Notebooks run from top to bottom with no browser, as nbconvert, papermill and CI do; and what a reader then sees."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from tests.support.kernels import kernel_manager, private_environment

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

READABLE = ("text/plain", "text/html", "text/markdown")


def execute(source: Path, folder: Path, *, python: Path | str = sys.executable, timeout: float = 120) -> NotebookNode:
    """Run a copy of a notebook in ``folder``, its working folder too; the executed copy is saved there and returned.

    ``python`` is the kernel's interpreter, ``timeout`` is seconds for each cell. A cell that fails raises
    ``nbclient.exceptions.CellExecutionError``.
    """
    copy = folder / source.name
    shutil.copyfile(source, copy)
    notebook = nbformat.read(copy, as_version=4)
    private = folder / ".jupyter-private"
    environment = private_environment(private)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        km=kernel_manager(private / "kernel.json", python),
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        asyncio.run(client.async_execute(env=environment, cleanup_kc=True))  # the manager is ours, the end is its
    finally:
        nbformat.write(notebook, copy)
        shutil.rmtree(private)
    return notebook


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    """All outputs of all cells, in order."""
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def stderr(notebook: NotebookNode) -> str:
    """What cells wrote to the error stream."""
    streams = [output for output in outputs(notebook) if output.output_type == "stream" and output.name == "stderr"]
    return "".join(output.text for output in streams)


def errors(notebook: NotebookNode) -> list[str]:
    """The error outputs, as ``Name: text``."""
    failed = [output for output in outputs(notebook) if output.output_type == "error"]
    return [f"{output.ename}: {output.evalue}" for output in failed]


def unreadable(notebook: NotebookNode) -> list[dict[str, Any]]:
    """The bundles that show nothing once the kernel is gone: those with no text, HTML or Markdown."""
    bundles = [output.data for output in outputs(notebook) if output.output_type in ("display_data", "execute_result")]
    return [bundle for bundle in bundles if not any(str(bundle.get(kind, "")).strip() for kind in READABLE)]


def text(notebook: NotebookNode) -> str:
    """Everything that a reader sees as plain text."""
    said = []
    for output in outputs(notebook):
        if output.output_type == "stream":
            said.append(output.text)
        elif output.output_type != "error":
            said.append(str(output.data.get("text/plain", "")))
    return "\n".join(said)
