"""The cell that makes a schedule, written from the values of its body.

What is written here is read back as the same values (a property that the tests hold for any text), so a value is plain
only where YAML, read by our own rules, gives it back; all others are in double quotes, in which everything can be
written. Braces are doubled, since ``{name}`` is a variable; where that would be read in another way (one without its
partner, or after a ``$``, which is Azure's own) they are escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.words import spelled
from aml_magics.wire.yaml_text import load_yaml

__all__ = ["cell_of"]

_PLAIN = re.compile(r"[\w/][\w/.@+~:*,-]*(?: [\w/.@+~:*-][\w/.@+~:*,-]*)*")
_NAME = re.compile(r"[\w][\w .,:@+~/()-]*")
_PAIRS = re.compile(r"(?<![${])\{([^{}]*)\}(?!\})")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_FIRST_MARK = 0x100000  # from here on characters stay as they are: expansion takes an escaped one for its own


def cell_of(values: Mapping[str, object]) -> str:
    """``%%aml schedule create NAME`` and its body. ``values`` are text, numbers, truth values, lists and mappings.

    A name that is hard to write on a line is a key of the body.
    """
    name = values.get("name")
    on_line = isinstance(name, str) and bool(_NAME.fullmatch(name)) and name == name.strip()
    head = f"%%aml schedule create {spelled(name)}" if on_line and isinstance(name, str) else "%%aml schedule create"
    body = {key: value for key, value in values.items() if key != "name" or not on_line}
    return "\n".join([head, *_lines(body)]) + "\n"


def _lines(body: Mapping[str, object], indent: str = "") -> Iterator[str]:
    for key, value in body.items():
        if isinstance(value, Mapping):
            yield f"{indent}{_text(key)}:"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list):
            yield f"{indent}{key}: [{', '.join(_scalar(item, in_list=True) for item in value)}]"
        else:
            yield f"{indent}{_text(key)}: {_scalar(value)}"


def _scalar(value: object, *, in_list: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value, in_list=in_list) if isinstance(value, str) else repr(value)


def _text(text: str, *, in_list: bool = False) -> str:
    if _PLAIN.fullmatch(text) and not (in_list and "," in text) and _is_itself(text):
        return text
    escaped = "".join(_escaped(letter) for letter in text)
    if any(brace in _PAIRS.sub("", escaped) for brace in "{}"):
        return '"' + escaped.replace("{", "\\x7b").replace("}", "\\x7d") + '"'
    return '"' + _PAIRS.sub(r"{{\1}}", escaped) + '"'


def _is_itself(text: str) -> bool:
    try:
        return load_yaml(text) == text
    except InvalidInput:
        return False


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if letter.isprintable() or code >= _FIRST_MARK:
        return letter
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
