"""A page with one live table on it, and what the tests of tables do to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.lab import Page

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".axe" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / ".screenshots"
CELL = "import table_bed as bed\nt = bed.make(**options)\nt"
# What changes on the page, with the time, until it is asked for.
WATCH = """selector => {
    const box = document.querySelector(selector)
    window.seen = []
    new MutationObserver(() => window.seen.push([Date.now(), box.innerText])).observe(
        box, { subtree: true, childList: true, characterData: true })
}"""


class TablePage:
    """The notebook that is open holds one cell, which makes the table ``t``."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.raw = page.raw

    def show(self, **options: Any) -> None:
        """Make the table anew (``table_bed.make``) and wait until its rows are drawn."""
        self.raw.mouse.move(0, 0)
        self.page.python(f"options = {options!r}")
        self.page.run_all()
        (self.rows.first if options.get("rows", 50) else self.root).wait_for(timeout=10_000)

    @property
    def root(self) -> Locator:
        return self.raw.locator(".aml-table")

    @property
    def grid(self) -> Locator:
        return self.root.get_by_role("grid")

    @property
    def rows(self) -> Locator:
        """The rows that are drawn, in the order of the document."""
        return self.root.locator(".body [role=row]")

    @property
    def filter(self) -> Locator:
        return self.root.get_by_role("searchbox")

    @property
    def status(self) -> Locator:
        return self.root.get_by_role("status")

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text)

    def button(self, label: str, row: str) -> Locator:
        return self.row(row).get_by_role("button", name=f"{label} {row}")

    def heading(self, name: str) -> Locator:
        return self.grid.get_by_role("columnheader", name=name)

    def shown(self) -> list[str]:
        """The names in the rows that are drawn, from top to bottom."""
        script = (
            "rows => rows.sort((one, other) => one.ariaRowIndex - other.ariaRowIndex)"
            ".map(row => row.querySelector('.text').innerText)"
        )
        return list(self.rows.evaluate_all(script))

    def python(self, code: str) -> Any:
        """The value of an expression in the kernel, over JSON."""
        return json.loads(self.page.python(f"import json; print(json.dumps({code}))"))

    def until(self, code: str, wanted: object) -> None:
        """Wait until an expression in the kernel has this value."""
        for _attempt in range(100):
            if (value := self.python(code)) == wanted:
                return
            self.raw.wait_for_timeout(50)
        message = f"{code} is {value!r}, not {wanted!r}"
        raise AssertionError(message)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.raw.keyboard.press(key)

    def focused(self) -> str:
        """What has the focus: its label, or its text."""
        return str(self.raw.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()"))

    def watch(self, selector: str) -> None:
        self.raw.evaluate(WATCH, selector)

    def seen(self) -> list[tuple[float, str]]:
        """(milliseconds since 1970, text) of each change since ``watch``."""
        return [(at, text) for at, text in self.raw.evaluate("window.seen")]

    def cells(self) -> int:
        return int(self.raw.locator(".jp-Notebook .jp-Cell").count())

    def findings(self, within: str = ".aml-table") -> list[str]:
        """What axe-core finds that is serious or critical, in the tables or in what else a selector means."""
        if not self.raw.evaluate("'axe' in window"):
            self.raw.add_script_tag(content=AXE.read_text())
        found = self.raw.evaluate("within => axe.run(within)", within)["violations"]
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]}"
            for one in found
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    def picture(self, name: str) -> None:
        """Keep what is visible, to be looked at."""
        PICTURES.mkdir(exist_ok=True)
        self.raw.mouse.move(0, 0)
        self.page.screenshot(PICTURES / f"{name}.png")
