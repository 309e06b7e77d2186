"""What these tests check with, or why they cannot."""

import os
from typing import Any, NoReturn

import pytest

from local.errors import Unavailable
from tests.monitoring import tools

NAME, NAMESPACE = "imageswap", "imageswap-system"
LABELS = {"app.kubernetes.io/name": "imageswap", "app.kubernetes.io/instance": NAME}


@pytest.fixture(scope="session")
def promtool() -> tools.Promtool:
    """Runs promtool."""
    try:
        return tools.promtool()
    except Unavailable as reason:
        _cannot(reason)


@pytest.fixture(params=["servicemonitors", "prometheusrules"])
def definition(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A CustomResourceDefinition of the Prometheus Operator."""
    try:
        return tools.operator_api(request.param)
    except Unavailable as reason:
        _cannot(reason)


def _cannot(reason: Unavailable) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"CI must check the monitoring, and cannot: {reason}")
    pytest.skip(str(reason))
