"""What a cluster proves itself by: its certificates, and the key of its tokens. Made when they are first needed.

`directory`: where they are kept, readable by the user alone; None: they go with this object. Two lives of one cluster share
them, so that going back in time makes nobody's certificate or token worthless. k8slab's own.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from k8slab.apiserver.tokens import TokenKey

if TYPE_CHECKING:
    from k8slab.apiserver.pki import Pki


class Keys:
    """A cluster's keys."""

    def __init__(self, directory: Path | None = None) -> None:
        self._folder = directory / "pki" if directory is not None else None
        self._lock = threading.Lock()
        self._pki: Pki | None = None
        self.token = TokenKey(self._folder / "sa.key" if self._folder is not None else None)
        """The key that tokens are signed with."""

    def __repr__(self) -> str:
        return "<Keys>"

    @property
    def pki(self) -> Pki:
        """The certificate authority, and what it has signed."""
        from k8slab.apiserver.pki import Pki  # imported here: a cluster that nobody reaches from outside needs none

        with self._lock:
            if self._pki is None:
                self._pki = Pki.create(self._folder)
            return self._pki
