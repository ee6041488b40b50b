"""YAML as people mean it: strict, plain, and every mistake one line with its place.

``load_yaml`` reads the core schema of YAML 1.2 (section 10.3.2 of the specification) with PyYAML's scanner, which by
itself follows YAML 1.1. So ``on``, ``yes`` and ``10:30`` are text, dates are text, and only ``true`` and ``false``
(also ``True``, ``TRUE``, ...) are booleans. What comes out is what JSON can hold: dict with text keys, list, str,
int, float, bool, None.

Refused, because each has cost somebody an evening: a key that is there twice, a tab used for indentation, a key that is
not text, merge keys (``<<``), tags such as ``!!python/object``, more than one document. Bounded, because a text may
come from elsewhere: its length, its depth, and how much its aliases expand to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from aml_magics.model.errors import InvalidInput

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

__all__ = ["load_yaml", "load_yaml_mapping"]

LONGEST = 128 * 1024  # characters: PyYAML reads some 100,000 a second
DEEPEST = 40  # nested values
MOST = 20_000  # values, aliases expanded

_TAG = "tag:yaml.org,2002:"
_CORE = {
    "null": re.compile(r"(~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
    ),
    "str": re.compile(r""),
}
_READ: dict[str, Callable[[str], object]] = {
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text, 0) if text[:2] in ("0o", "0x") else int(text),
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    "str": str,
}
_ODD_SPACE = re.compile(r"^[ \t]*([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000])", re.MULTILINE)


class _Advice(NamedTuple):
    """What to say instead of the parser's own words; ``at_start`` points at where the unfinished thing begins."""

    pattern: str
    message: str
    hint: str
    at_start: bool = False


_ADVICE = (
    _Advice(r"character '\\t'", "there is a tab", "Use spaces: YAML does not take tabs."),
    _Advice(r"character '.+' that cannot start", "", "Put the value in quotes."),
    _Advice(r"undefined alias", "", "Put the value in quotes if it begins with *."),
    _Advice(r"expected alphabetic", "", "Put the value in quotes."),
    _Advice(
        r"mapping values are not allowed",
        "there is a second ': '",
        "Put the value in quotes, and begin keys of one level in the same column.",
    ),
    _Advice(
        r"could not find expected ':'",
        "this is no key with a value",
        "Write  key: value  with a space after the colon.",
        True,
    ),
    _Advice(r"scanning a quoted", "this quote is never closed", "Close it, or double it inside of '...'.", True),
    _Advice(r"expected ',' or '\]'.*<stream end>", "this [ is never closed", "Close it with a ].", True),
    _Advice(r"expected ',' or '\}'.*<stream end>", "this { is never closed", "Close it with a }.", True),
    _Advice(r"expected ',' or", "", "Separate the values with commas, and put text with [ ] { } or , in quotes."),
    _Advice(r"expected the node content.*<stream end>", "a bracket is never closed", "Close it with a ] or a }."),
    _Advice(r"expected the node content", "no value can begin here", "Put text with [ ] { } or , in quotes."),
    _Advice(r"expected chomping", "", "Begin the text on the line below the | or >, or put the value in quotes."),
    _Advice(r"single document", "a second document begins here", "Leave out the --- line."),
    _Advice(
        r"expected <block end>|<document start>",
        "this does not fit under the lines above it",
        "Begin the keys of one level in the same column, and quote a value as a whole.",
    ),
)


def load_yaml(text: str, what: str = "cell") -> object:
    """The value of a YAML text; ``None`` when it is empty.

    Raises ``InvalidInput`` that begins ``{what}: line 3, column 5:`` (both counted from 1) and says what to write
    instead.
    """
    if len(text) > LONGEST:
        message = f"{what}: {len(text):,} characters are more YAML than the limit of {LONGEST:,}"
        raise InvalidInput(message, hint="Keep data and code in files.")
    _check_spaces(text, what)
    try:
        return _CoreLoader(text).load()
    except yaml.MarkedYAMLError as error:
        raise _explained(error, what) from error
    except yaml.reader.ReaderError as error:
        place = _place(text, error.position)
        message = f"{what}: {place}: the character U+{error.character:04X} is not allowed in YAML"
        raise InvalidInput(message, hint="Delete that character.") from error


def load_yaml_mapping(text: str, what: str = "cell") -> dict[str, object]:
    """As ``load_yaml``, for a text of ``key: value`` lines; raises ``InvalidInput`` when it is something else."""
    value = load_yaml(text, what)
    if value is None:
        raise InvalidInput(f"{what}: there is nothing in it", hint="Write lines of  key: value  there.")
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else f"only the text {str(value)[:40]!r}"
        hint = "Write lines of  key: value  with a space after the colon."
        raise InvalidInput(f"{what}: this is {kind}, not keys with values", hint=hint)
    return value


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's reader, scanner and parser, under rules of our own for what a node means."""

    # Looked up by a plain scalar's first character; None is for all of them.
    yaml_implicit_resolvers = {None: [(_TAG + kind, pattern) for kind, pattern in _CORE.items()]}  # noqa: RUF012 - PyYAML's

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.sizes: dict[int, int] = {}

    def load(self) -> object:
        try:
            node = self.get_single_node()
            return None if node is None else _value(node)
        finally:
            self.dispose()

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        # Nodes are composed as the text is read, so a text that goes too deep is not read to its end.
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > DEEPEST:
            raise _problem(f"values are nested more than {DEEPEST} deep", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self.sizes:
                raise _problem(f"*{event.anchor} stands inside of what it means", event)
        elif node is not None:
            self.measure(node)
        return node

    def measure(self, node: Node) -> None:
        """Count a finished node with all that is in it; an alias counts as often as it is used."""
        size = 1
        if isinstance(node, yaml.SequenceNode):
            size += sum(self.sizes[id(child)] for child in node.value)
        elif isinstance(node, yaml.MappingNode):
            size += sum(self.sizes[id(child)] for pair in node.value for child in pair)
        if size > MOST:
            raise _problem(f"these are more than {MOST:,} values, with aliases written out", node)
        self.sizes[id(node)] = size


class _Problem(yaml.MarkedYAMLError):
    def __init__(self, message: str, place: Node | yaml.Event, hint: str) -> None:
        mark: Any = place.start_mark
        super().__init__(problem=message, problem_mark=mark)
        self.hint = hint


def _problem(message: str, place: Node | yaml.Event, hint: str = "") -> _Problem:
    return _Problem(message, place, hint)


def _value(node: Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        _require(node.tag == _TAG + "seq", node)
        return [_value(child) for child in node.value]
    return _scalar(node)


def _mapping(node: MappingNode) -> dict[str, object]:
    _require(node.tag == _TAG + "map", node)
    result: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = _key(key_node)
        if key in result:
            raise _problem(f"the key {key!r} is there twice", key_node, "Delete one of the two.")
        result[key] = _value(value_node)
    return result


def _key(node: Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _problem("a key must be text, this one is a list or a mapping", node, "Put it in quotes.")
    key = _scalar(node)
    if not isinstance(key, str):
        raise _problem(f"a key must be text, this one is {node.value!r}", node, "Put it in quotes.")
    if key == "<<" and node.style is None:
        raise _problem("merge keys (<<) are not read", node, "Write the keys out.")
    return key


def _scalar(node: Node) -> object:
    kind = node.tag.removeprefix(_TAG)
    _require(kind in _READ, node)
    if not _CORE[kind].match(node.value):
        raise _problem(f"{node.value[:40]!r} is no {kind}", node, "Leave the tag out.")
    try:
        return _READ[kind](node.value)
    except ValueError as error:  # a number of more than 4,300 digits
        raise _problem(f"a number of {len(node.value):,} digits is too long", node, "Put it in quotes.") from error


def _require(is_known: bool, node: Node) -> None:
    if not is_known:
        tag = node.tag.replace(_TAG, "!!")[:60]
        raise _problem(f"the tag {tag} is not read", node, "Leave the tag out, or put the value in quotes.")


def _check_spaces(text: str, what: str) -> None:
    match = _ODD_SPACE.search(text)
    if match is not None:
        message = f"{what}: {_place(text, match.start(1))}: an unusual space (U+{ord(match[1]):04X}) in the indentation"
        raise InvalidInput(message, hint="Indent with ordinary spaces: text from a web page often holds others.")


def _place(text: str, position: int) -> str:
    line_start = text.rfind("\n", 0, position) + 1
    return f"line {text.count(chr(10), 0, position) + 1}, column {position - line_start + 1}"


def _explained(error: yaml.MarkedYAMLError, what: str) -> InvalidInput:
    said = " ".join(filter(None, (error.problem, error.context)))
    advice = next((advice for advice in _ADVICE if re.search(advice.pattern, said)), _Advice("", "", ""))
    mark = error.context_mark if advice.at_start else error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    message = advice.message or error.problem or said
    return InvalidInput(f"{what}: {place}{message}", hint=error.hint if isinstance(error, _Problem) else advice.hint)
