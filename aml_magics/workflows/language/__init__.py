"""The expression language of Logic Apps and Data Factory: ``@concat('in/', triggerBody()?['Name'])``.

``evaluate(value, scope)`` replaces the expressions in any JSON value. A string that begins with ``@`` is one expression
and becomes its value, whatever that is; ``@{...}`` inside a string becomes text; ``@@`` is an at sign. What an
expression calls is either one of the language's own functions (``functions``: pure, named without regard to case) or
one that the place where it stands offers (``Scope``: ``triggerBody``, ``parameters``, ``activity`` ...).

A parser reads it and nothing is handed to Python's own evaluator. Every error is one line that points at the column.
Source: Microsoft's "Workflow Definition Language" schema reference and its reference of functions, and Data Factory's
"Expressions and functions".
"""

from aml_magics.workflows.language.syntax import ExpressionError, parse
from aml_magics.workflows.language.templates import Scope, check, evaluate

__all__ = ["ExpressionError", "Scope", "check", "evaluate", "parse"]
