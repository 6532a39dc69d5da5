"""What an authorizer answers. Models: k8s.io/apiserver/pkg/authorization/authorizer."""

from __future__ import annotations

from typing import NamedTuple


class Decision(NamedTuple):
    """Yes or no, and why; a no without a reason is no opinion."""

    allowed: bool
    reason: str = ""


YES = Decision(True)
NO_OPINION = Decision(False)
