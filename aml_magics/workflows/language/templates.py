"""From templates to values: where expressions stand in JSON, and what they are worth in a scope.

An expression that was read may still have no value: a property that is not there without a ``?``, an argument of the
wrong kind, a function that nobody knows. ``check`` finds what can be found without running anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol

from aml_magics.model.errors import did_you_mean
from aml_magics.workflows.language import functions
from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.language.kinds import Refusal, kind_of, short_enough
from aml_magics.workflows.language.syntax import Access, Call, Expression, ExpressionError, Literal, Node, calls, parse

__all__ = ["Json", "Scope", "check", "evaluate", "expressions_in"]

Json = Any
_INSIDE = re.compile(r"(?:[^'}]|'[^']*')*+(?=})")  # up to the brace that is in no quotes
_MARK = re.compile(r"@@\{|@\{")


class Scope(Protocol):
    """What the place of an expression offers."""

    def lookup(self, function: str) -> Callable[..., Json] | None:
        """The function of that name, in any case. What it raises as ``Refusal`` is shown with the column."""


def evaluate(value: Json, scope: Scope) -> Json:
    """That JSON value, with its expressions (in texts and in the keys of objects) replaced by what they are worth.

    Raises ExpressionError.
    """
    try:
        return _evaluated(value, scope)
    except RecursionError:
        raise ExpressionError("values are nested too deeply", hint="Hand on the part that is needed.") from None


def _evaluated(value: Json, scope: Scope) -> Json:
    if isinstance(value, Mapping):
        return {_key(_evaluated(key, scope)): _evaluated(item, scope) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_evaluated(item, scope) for item in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    parts = _parts(value)
    if len(parts) == 1 and isinstance(parts[0], Expression) and _is_whole(value):
        return _value(parts[0], scope)
    texts = [part if isinstance(part, str) else as_text(_value(part, scope)) for part in parts]
    return "".join(texts)


def check(value: Json, known: Collection[str]) -> None:
    """Raises ExpressionError for what cannot be read, or calls what neither the language nor ``known`` has."""
    names = {name.casefold() for name in known}
    for expression in expressions_in(value):
        for call in calls(expression.root):
            if call.name.casefold() not in names:
                function = functions.find(call.name)
                if function is None:
                    raise _unknown(expression.text, call, known)
                if problem := function.arity_problem(len(call.arguments)):
                    raise ExpressionError.at(call.column, expression.text, f"{function.name}() {problem}")


def expressions_in(value: Json) -> Iterator[Expression]:
    """All expressions in a JSON value. Raises ExpressionError at the first that cannot be read."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from expressions_in(key)
            yield from expressions_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from expressions_in(item)
    elif isinstance(value, str) and "@" in value:
        yield from (part for part in _parts(value) if isinstance(part, Expression))


def _is_whole(text: str) -> bool:
    return text.startswith("@") and not text.startswith(("@{", "@@"))


def _parts(text: str) -> list[str | Expression]:
    """Literal text and expressions, in order."""
    if _is_whole(text):
        return [parse(text[1:])]
    parts: list[str | Expression] = []
    at = 0
    if text.startswith("@@"):
        parts, at = ["@"], 2
    while (mark := _MARK.search(text, at)) is not None:
        parts.append(text[at : mark.start()])
        if mark[0] == "@@{":
            parts.append("@{")
            at = mark.end()
        else:
            end = _end_of(text, mark.end())
            parts.append(parse(text[mark.end() : end]))
            at = end + 1
    return [part for part in [*parts, text[at:]] if part != ""] or [""]


def _end_of(text: str, start: int) -> int:
    """Where the ``}`` is that ends an ``@{`` whose inside begins at ``start``: not one inside quotes."""
    end = _INSIDE.match(text, start)
    if end is not None:
        return end.end()
    raise ExpressionError.at(start - 1, text, "'@{' has no '}'", "An at sign in front of a brace is two: @@{.")


def _key(key: Json) -> str:
    if isinstance(key, str):
        return key
    raise ExpressionError(f"the key of an object must be text, and one is {kind_of(key)}")


def _beginning(node: Node) -> Node:
    """What an argument begins with: an access points at its key, which is not where the argument stands."""
    while isinstance(node, Access):
        node = node.of
    return node


def _value(expression: Expression, scope: Scope) -> Json:
    return _Evaluation(expression.text, scope).of(expression.root)


class _Evaluation:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope

    def of(self, node: Node) -> Json:
        chain: list[Access] = []  # the outermost first: as long as it may be, it takes no stack
        while isinstance(node, Access):
            chain.append(node)
            node = node.of
        value = node.value if isinstance(node, Literal) else self._called(node)
        for access in reversed(chain):
            value = self._accessed(value, access)
        return value

    def _called(self, call: Call) -> Json:
        host = self._scope.lookup(call.name)
        if host is not None:
            return self._guarded(call, host, [self.of(argument) for argument in call.arguments])
        function = functions.find(call.name)
        if function is None:
            raise _unknown(self._text, call, ())
        if problem := function.arity_problem(len(call.arguments)):
            raise ExpressionError.at(call.column, self._text, f"{function.name}() {problem}")
        if function.name == "if":  # only what is chosen is looked at
            return self._chosen(call)
        return self._guarded(call, function.call, [self.of(argument) for argument in call.arguments])

    def _chosen(self, call: Call) -> Json:
        condition = self.of(call.arguments[0])
        if not isinstance(condition, bool):
            what = f"if(): argument 1 must be true or false, and is {kind_of(condition)}"
            raise ExpressionError.at(_beginning(call.arguments[0]).column, self._text, what)
        return self.of(call.arguments[1 if condition else 2])

    def _guarded(self, call: Call, function: Callable[..., Json], arguments: list[Json]) -> Json:
        try:
            made = function(*arguments)
            short_enough(len(made) if isinstance(made, str) else 0)
        except Refusal as refusal:
            at = call.arguments[refusal.argument - 1] if 0 < refusal.argument <= len(call.arguments) else call
            column = _beginning(at).column
            which = f"argument {refusal.argument} " if refusal.argument else ""
            what = f"{call.name}(): {which}{refusal}"
            raise ExpressionError.at(column, self._text, what, refusal.hint) from refusal
        except RecursionError:
            what = f"{call.name}() is given values that are nested too deeply"
            raise ExpressionError.at(call.column, self._text, what) from None
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise  # inside the function: a defect of ours
            what = f"{call.name}() does not take {len(arguments)} arguments"
            raise ExpressionError.at(call.column, self._text, what) from error
        return made

    def _accessed(self, of: Json, access: Access) -> Json:
        key = self.of(access.key)
        try:
            return _taken(of, key, is_optional=access.is_optional)
        except Refusal as refusal:
            raise ExpressionError.at(access.column, self._text, str(refusal), refusal.hint) from refusal


def _taken(of: Json, key: Json, *, is_optional: bool) -> Json:
    if of is None:
        if is_optional:
            return None
        raise Refusal(f"there is no {key!r} in null", hint="?. or ?[...] gives null then.")
    if isinstance(of, Mapping):
        return _property(of, key, is_optional=is_optional)
    if isinstance(of, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(of):
            return of[key]
        if is_optional:
            return None
        raise Refusal(f"there is no item {key} in an array of {len(of)}", hint="?[...] gives null then.")
    raise Refusal(f"{kind_of(of)} has no {key!r}", hint="" if isinstance(of, list) else "Only objects and arrays do.")


def _property(of: Mapping[str, Json], key: Json, *, is_optional: bool) -> Json:
    if not isinstance(key, str):
        raise Refusal(f"a property of an object is named by text, not by {kind_of(key)}")
    if key in of:
        return of[key]
    folded = {name.casefold(): name for name in of}  # names are found without regard to case, as JSON.NET does it
    if key.casefold() in folded:
        return of[folded[key.casefold()]]
    if is_optional:
        return None
    hint = did_you_mean(key, of) if of else "The object is empty."
    raise Refusal(f"there is no property {key!r}", hint=f"{hint} ?['{key}'] gives null when there is none.".strip())


def _unknown(text: str, call: Call, known: Collection[str]) -> ExpressionError:
    if call.name.casefold() in functions.REFUSED:
        return ExpressionError.at(call.column, text, f"{call.name}() cannot be run here")
    hint = did_you_mean(call.name, {*functions.NAMES, *known})
    hint = hint if hint.startswith("Did you mean") else ""  # not a hundred names
    return ExpressionError.at(call.column, text, f"there is no function {call.name}() here", hint)
