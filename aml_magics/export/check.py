"""What is wrong with a definition, found without Azure: unknown keys, types and results, names of nothing, circles.

Microsoft's schema of the workflow definition language is not published, so the rules for it are ours, after its
documentation. Data Factory's own schemas are stricter about single values; these rules are about what they cannot see.
"""

from __future__ import annotations

from aml_magics.export.check_factory import factory_problems
from aml_magics.export.check_workflow import workflow_problems
from aml_magics.export.checking import Problem
from aml_magics.export.definitions import DataFactoryDefinition, LogicAppDefinition
from aml_magics.model.errors import InvalidInput

__all__ = ["Problem", "check_definition", "problems_of"]


def problems_of(found: LogicAppDefinition | DataFactoryDefinition) -> tuple[Problem, ...]:
    """Everything that is wrong, in the order of the definition."""
    if isinstance(found, LogicAppDefinition):
        return tuple(workflow_problems(found.definition, has_connections=bool(found.resources)))
    return tuple(factory_problems(found))


def check_definition(found: LogicAppDefinition | DataFactoryDefinition) -> None:
    """Raises ``InvalidInput`` with the first problem, and how many there are."""
    problems = problems_of(found)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        hint = "Mend it there, or export it again."
        raise InvalidInput(f"{found.name}: {problems[0]}{more}", hint=hint)
