"""All functions of the language, by name. What is documented by Microsoft and not here is in ``REFUSED``."""

from __future__ import annotations

from aml_magics.workflows.language import convert, dates, logic, texts
from aml_magics.workflows.language.kinds import Function, registered

__all__ = ["NAMES", "REFUSED", "find"]

_MODULES = (convert, dates, logic, texts)  # each registers its functions
NAMES = tuple(sorted(each.name for each in registered.values()))
REFUSED = frozenset(
    """base64ToBinary binary dataUriToBinary dataUriToString decodeDataUri xml xpath formatNumber
    encodeXmlValue parseDateTime uriComponentToBinary listCallbackUrl workflow multipartBody formDataValue
    formDataMultiValues triggerMultipartBody triggerFormDataValue triggerFormDataMultiValues appsetting""".casefold().split()
)


def find(name: str) -> Function | None:
    """The function of that name, in any case."""
    return registered.get(name.casefold())
