"""From templates to values: where expressions stand in JSON, and what they are worth in a scope.

An expression that was read may still have no value: a property that is not there without a ``?``, an argument of the
wrong kind, a function that nobody knows. ``check`` finds what can be found without running anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol

from aml_magics.model.errors import did_you_mean
from aml_magics.workflows.language import functions
from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.language.kinds import Refusal, kind_of
from aml_magics.workflows.language.syntax import Access, Call, Expression, ExpressionError, Literal, Node, parse

__all__ = ["Json", "Scope", "check", "evaluate", "expressions_in"]

Json = Any
LONGEST_TEXT = 10_000_000  # letters that a function may make: a definition is not to fill the memory


class Scope(Protocol):
    """What the place of an expression offers."""

    def lookup(self, function: str) -> Callable[..., Json] | None:
        """The function of that name, in any case. What it raises as ``Refusal`` is shown with the column."""


def evaluate(value: Json, scope: Scope) -> Json:
    """That JSON value, with its expressions (in texts and in the keys of objects) replaced by what they are worth.

    Raises ExpressionError.
    """
    if isinstance(value, Mapping):
        return {_key(evaluate(key, scope)): evaluate(item, scope) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [evaluate(item, scope) for item in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    parts = _parts(value)
    if len(parts) == 1 and isinstance(parts[0], Expression) and _is_whole(value):
        return _value(parts[0], scope)
    return "".join(part if isinstance(part, str) else as_text(_value(part, scope)) for part in parts)


def check(value: Json, known: Collection[str]) -> None:
    """Raises ExpressionError when an expression cannot be read, or calls what neither the language nor ``known`` has."""
    names = {name.casefold() for name in known}
    for expression in expressions_in(value):
        for call in _calls(expression.root):
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
    plain, at = "", 0
    while at < len(text):
        if text.startswith("@@", at) and (at == 0 or text.startswith("@@{", at)):
            plain, at = plain + "@", at + 2
        elif text.startswith("@{", at):
            end = _end_of(text, at + 2)
            parts += [plain, parse(text[at + 2 : end])]
            plain, at = "", end + 1
        else:
            plain, at = plain + text[at], at + 1
    return [part for part in [*parts, plain] if part != ""] or [""]


def _end_of(text: str, start: int) -> int:
    """Where the ``}`` is that ends an ``@{`` whose inside begins at ``start``: not one inside quotes."""
    is_quoted = False
    for at in range(start, len(text)):
        if text[at] == "'":
            is_quoted = not is_quoted
        elif text[at] == "}" and not is_quoted:
            return at
    raise ExpressionError.at(start - 1, text, "'@{' has no '}'", "An at sign in front of a brace is two: @@{.")


def _key(key: Json) -> str:
    if isinstance(key, str):
        return key
    raise ExpressionError(f"the key of an object must be text, and one is {kind_of(key)}")


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from _calls(argument)
    elif isinstance(node, Access):
        yield from _calls(node.of)
        yield from _calls(node.key)


def _value(expression: Expression, scope: Scope) -> Json:
    return _Evaluation(expression.text, scope).of(expression.root)


class _Evaluation:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope

    def of(self, node: Node) -> Json:
        if isinstance(node, Literal):
            return node.value
        return self._called(node) if isinstance(node, Call) else self._accessed(node)

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
            raise ExpressionError.at(call.arguments[0].column, self._text, what)
        return self.of(call.arguments[1 if condition else 2])

    def _guarded(self, call: Call, function: Callable[..., Json], arguments: list[Json]) -> Json:
        try:
            made = function(*arguments)
        except Refusal as refusal:
            at = call.arguments[refusal.argument - 1] if 0 < refusal.argument <= len(call.arguments) else call
            which = f"argument {refusal.argument} " if refusal.argument else ""
            raise ExpressionError.at(at.column, self._text, f"{call.name}(): {which}{refusal}") from refusal
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise  # inside the function: a defect of ours
            what = f"{call.name}() does not take {len(arguments)} arguments"
            raise ExpressionError.at(call.column, self._text, what) from error
        if isinstance(made, str) and len(made) > LONGEST_TEXT:
            raise ExpressionError.at(call.column, self._text, f"{call.name}() makes more than {LONGEST_TEXT:,} letters")
        return made

    def _accessed(self, access: Access) -> Json:
        of, key = self.of(access.of), self.of(access.key)
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
