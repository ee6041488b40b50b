"""Notebook variables in a magic's line and body: one rule, and no silence.

``{name}`` stands for the notebook's variable ``name``; attributes and items may follow, without blanks, colons or
quotes: ``{run.id}``, ``{names[0]}``, ``{config[rate]}`` (an item that is not a whole number is a text key). An
unknown name is an error that names it. ``{{`` and ``}}`` are braces. Every other brace is text, so ``{"a": 1}`` stays
what it is, and so does Azure's own ``${{...}}``. ``$name`` is never expanded.

A value that is nothing but ``{name}`` becomes the object itself (a datetime, a list, a number; in quotes a number is
text, as it is in YAML); inside other text it
becomes ``str(object)``. In a YAML body the expansion happens in the scalars *after* parsing, so that no value can add
keys or lines. Bodies that are somebody else's language, Python or pipeline YAML, are not expanded: there braces are
code.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field

from aml_magics.model.errors import InvalidInput, did_you_mean

__all__ = ["Namespace", "Reference", "as_text", "expand", "load_body", "plain"]

_PIECES = re.compile(
    r"""
    (?P<azure>\$\{\{.*?\}\})
  | (?P<open>\{\{)
  | (?P<reference>\{(?P<name>[^\W\d]\w*)(?P<path>(?:\.[^\W\d]\w*|\[[^\[\]{}\s:'"]+\])*)\})
  | (?P<close>\}\})
    """,
    re.VERBOSE,
)
# What IPython itself puts among the variables: nobody means one of these.
_SHELL_NAMES = {"In", "Out", "exit", "get_ipython", "open", "quit"}
_STEP = re.compile(r"\.(?P<attribute>\w+)|\[(?P<item>[^\]]+)\]")
# Plane 16 is private use and nobody's font: a mark is one character of it, filled up to the length of what it replaces,
# so that line and column in YAML's own error messages stay right.
_FIRST_MARK = 0x100000
_FILLER = "\U0010fffd"
_MARK = re.compile(f"[\U00100000-\U0010fffc]{_FILLER}*|{_FILLER}")
_ESCAPED_MARK = re.compile(r"\\U(0010[0-9a-f]{4})")
_MARK_LIMIT = ord(_FILLER) - _FIRST_MARK


@dataclass(frozen=True, slots=True)
class Reference:
    """A ``{name.attribute[item]}`` as written; ``path`` is what follows the name."""

    text: str
    name: str
    path: str = ""
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Namespace:
    """The variables a magic sees: those of the calling function, then the notebook's."""

    local: Mapping[str, object] = field(default_factory=dict)
    user: Mapping[str, object] = field(default_factory=dict)

    def value(self, reference: Reference) -> object:
        """What the reference stands for; InvalidInput when a name, an attribute or an item of it does not exist."""
        if reference.name in self.local:
            value = self.local[reference.name]
        elif reference.name in self.user:
            value = self.user[reference.name]
        else:
            raise InvalidInput(
                f"{reference.text}: there is no variable {reference.name!r}", hint=self._near(reference.name)
            )
        for step in _STEP.finditer(reference.path):
            value = _follow(reference, value, step["attribute"], step["item"])
        return as_text(plain(value)) if reference.is_quoted else plain(value)

    def _near(self, name: str) -> str:
        known = [known for known in {*self.local, *self.user} - _SHELL_NAMES if not known.startswith("_")]
        hint = did_you_mean(name, known)
        return hint if hint.startswith("Did") else f"Define it first, or write {{{{{name}}}}} to keep the braces."


def plain(value: object) -> object:
    """NumPy's and pandas' numbers and sequences as Python's own, all else as it is: the model knows no ``int64``."""
    library = type(value).__module__.partition(".")[0]
    return value.tolist() if library in ("numpy", "pandas") and hasattr(value, "tolist") else value


def as_text(value: object) -> object:
    """A number or truth value as text, everything else as it is: what quotes around a reference ask for."""
    return str(value) if isinstance(value, (bool, int, float)) else value


def _follow(reference: Reference, value: object, attribute: str | None, item: str | None) -> object:
    if attribute is not None:
        try:
            return getattr(value, attribute)
        except AttributeError:
            known = [name for name in dir(value) if not name.startswith("_")]
            kind = type(value).__name__
            message = f"{reference.text}: a {kind} has no attribute {attribute!r}"
            raise InvalidInput(message, hint=did_you_mean(attribute, known)) from None
    key: object = int(item) if item is not None and re.fullmatch(r"-?[0-9]+", item) else item
    try:
        return value[key]  # type: ignore[index]
    except (LookupError, TypeError, ValueError) as error:
        known = [key for key in value if isinstance(key, str)] if isinstance(value, Mapping) else []
        hint = did_you_mean(str(item), known) or (f"It has {len(value)} items." if isinstance(value, Sized) else "")
        message = f"{reference.text}: there is no [{item}] in this {type(value).__name__}"
        raise InvalidInput(message, hint=hint or "Only lists, mappings and the like have items.") from error


def expand(text: str, names: Namespace) -> object:
    """The text with its references replaced, or the object itself when the text is one reference and nothing else."""
    pieces = list(_pieces(text))
    if len(pieces) == 1 and isinstance(pieces[0], Reference):
        return names.value(pieces[0])
    return "".join(piece if isinstance(piece, str) else str(names.value(piece)) for piece in pieces)


def _pieces(text: str) -> Iterator[str | Reference]:
    return (replacement for _, replacement in _spans(text) if replacement != "")


def _spans(text: str) -> Iterator[tuple[str, str | Reference]]:
    """Pairs of (as written, what it means): a text for itself, a brace for a doubled one, a Reference."""
    position = 0
    doubled = 0  # "{{" still waiting for their "}}": a "}}" that closes nothing is text (JSON ends like that)
    for match in _PIECES.finditer(text):
        if match.start() > position:
            yield (plain_text := text[position : match.start()]), plain_text
        position = match.end()
        written = match[0]
        if match["open"]:
            doubled += 1
            yield written, "{"
        elif match["close"]:
            yield written, "}" if doubled else written
            doubled = max(doubled - 1, 0)
        elif match["reference"] and not keyword.iskeyword(match["name"]):
            around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
            yield written, Reference(written, match["name"], match["path"], around in ('""', "''"))
        else:
            yield written, written
    if position < len(text):
        yield text[position:], text[position:]


def load_body(text: str, names: Namespace, *, what: str = "cell") -> dict[str, object]:
    """A YAML mapping with its scalars expanded; an empty body is an empty mapping.

    Raises InvalidInput for text that is not YAML, for a body that is not a mapping, and for an unknown variable.
    """
    from aml_magics.wire.yaml_text import load_yaml  # noqa: PLC0415 - PyYAML is not needed by most commands

    masked, marks = _mask("\n" + text)  # in an error, the first line is the one with the magic, as the editor counts
    try:
        loaded = load_yaml(masked, what)
    except InvalidInput as error:
        raise InvalidInput(_unmask(error.message, marks), hint=_unmask(error.hint, marks)) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise InvalidInput(
            f"The {what} is not a mapping of `key: value` lines",
            hint="Write one argument a line, as in `frequency: Minute`.",
        )
    return _expanded_mapping(loaded, lambda scalar: _expand_marks(scalar, marks, names))


def _mask(text: str) -> tuple[str, list[tuple[str, str | Reference]]]:
    marks: list[tuple[str, str | Reference]] = []

    def mark(written: str, meaning: str | Reference) -> str:
        marks.append((written, meaning))
        if len(marks) > _MARK_LIMIT:
            raise InvalidInput(f"More than {_MARK_LIMIT} braces in one body", hint="Put the values into variables.")
        return chr(_FIRST_MARK + len(marks) - 1) + _FILLER * (len(written) - 1)

    masked = []
    for written, meaning in _spans(text):
        if written == meaning:  # a character that looks like a mark of ours is marked as itself
            masked.append(_MARK.sub(lambda found: "".join(mark(one, one) for one in found[0]), written))
        else:
            masked.append(mark(written, meaning))
    return "".join(masked), marks


def _unmask(text: str, marks: list[tuple[str, str | Reference]]) -> str:
    text = _ESCAPED_MARK.sub(lambda found: chr(int(found[1], 16)), text)  # PyYAML quotes single characters by repr
    return _MARK.sub(lambda found: _meaning(found[0], marks)[0], text)


def _meaning(found: str, marks: list[tuple[str, str | Reference]]) -> tuple[str, str | Reference]:
    index = ord(found[0]) - _FIRST_MARK
    return marks[index] if index < len(marks) else (found, found)


def _expand_marks(scalar: str, marks: list[tuple[str, str | Reference]], names: Namespace) -> object:
    whole = _MARK.fullmatch(scalar)
    if whole is not None:
        meaning = _meaning(whole[0], marks)[1]
        return meaning if isinstance(meaning, str) else names.value(meaning)

    def text_of(found: re.Match[str]) -> str:
        meaning = _meaning(found[0], marks)[1]
        return meaning if isinstance(meaning, str) else str(names.value(meaning))

    return _MARK.sub(text_of, scalar)


def _expanded_mapping(mapping: dict[object, object], expand_scalar: Callable[[str], object]) -> dict[str, object]:
    expanded: dict[str, object] = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise InvalidInput(f"The key {key!r} is not text", hint="Keys are words, as in `frequency: Minute`.")
        if _MARK.search(key):
            raise InvalidInput(
                "A key cannot be taken from a variable", hint="Write the key out; only values are expanded."
            )
        expanded[key] = _expanded(value, expand_scalar)
    return expanded


def _expanded(value: object, expand_scalar: Callable[[str], object]) -> object:
    if isinstance(value, str):
        return expand_scalar(value)
    if isinstance(value, list):
        return [_expanded(item, expand_scalar) for item in value]
    if isinstance(value, dict):
        return _expanded_mapping(value, expand_scalar)
    return value
