from __future__ import annotations

import pytest

from tests.apiserver.custom.world import CustomApi


@pytest.fixture
def api() -> CustomApi:
    return CustomApi()
