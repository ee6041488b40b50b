"""Signing in with azure-identity: what its credentials say when they fail, in one line and once.

It is here, below all who sign in: the client for a workspace on Azure, the embedded workspace for a container.
"""

from __future__ import annotations

import logging
import re

from aml_magics.model.errors import NotConnected
from aml_magics.model.secret import redacted

__all__ = ["QUIET", "TRIED", "WAYS", "not_signed_in", "quieten"]

QUIET = logging.NullHandler()
WAYS = "Sign in with 'az login', or add --sign-in device or --sign-in browser to %aml connect."
TRIED = {
    "EnvironmentCredential": "environment variables",
    "WorkloadIdentityCredential": "workload identity",
    "ManagedIdentityCredential": "managed identity",
    "SharedTokenCacheCredential": "shared token cache",
    "VisualStudioCodeCredential": "Visual Studio Code",
    "AzureCliCredential": "Azure CLI",
    "AzurePowerShellCredential": "Azure PowerShell",
    "AzureDeveloperCliCredential": "Azure Developer CLI",
    "BrokerCredential": "broker",
}
_ATTEMPT = re.compile(r"^\s*(\w+Credential)\b", re.MULTILINE)
_REASON = re.compile(r"AADSTS\d+:[^.\r\n]*")


def not_signed_in(error: Exception, *, hint: str = WAYS) -> NotConnected:
    """One line for what a credential, or a chain of them, says when it has no token."""
    text = str(error)
    tried = [TRIED[name] for name in dict.fromkeys(_ATTEMPT.findall(text)) if name in TRIED]
    reason = _REASON.search(text)
    if reason is not None:
        said = redacted(" ".join(reason[0].split()))[:300]
        return NotConnected(f"signing in to Azure failed: {said}", hint=hint)
    if tried:
        return NotConnected(f"nobody is signed in to Azure here (tried: {', '.join(tried)})", hint=hint)
    line = redacted(" ".join(text.split()))[:300]
    detail = f"{type(error).__name__}: {line}" if line else type(error).__name__
    return NotConnected(f"signing in to Azure failed: {detail}", hint=hint)


def quieten() -> None:
    """Its warnings repeat what the error says, on the background's thread; a notebook would print them."""
    logger = logging.getLogger("azure.identity")
    if QUIET not in logger.handlers:
        logger.addHandler(QUIET)
