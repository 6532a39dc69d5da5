from __future__ import annotations

import pytest

from tests.controllers.harness import Workloads


@pytest.fixture
def world():
    return Workloads()
