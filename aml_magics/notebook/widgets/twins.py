"""Two outputs of which one shows: what a notebook file keeps, and the live thing that comes after it.

Two rules of style decide: the live thing where it is drawn, the other where it is not, be it for want of a kernel, of
its model or of the network. An untrusted notebook drops the rules and shows both.
"""

from __future__ import annotations

__all__ = ["twins"]


def twins(static: str, live: str) -> str:
    """The rules for an output with an element of class ``static`` and the next, which may have a ``live`` one."""
    static_output, output = f".jp-OutputArea-child:has(.{static})", ".jp-OutputArea-child"
    return (
        f"<style>{static_output}:has(+ {output} .{live}),{static_output} + {output}:not(:has(.{live}))"
        "{display:none}</style>"
    )
