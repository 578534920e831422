"""What configuration tests share: the shipped example's text and an environment that fits it."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "vinilam-vinipol.yaml"


@pytest.fixture
def example() -> str:
    """The text of the shipped example."""
    return EXAMPLE.read_text(encoding="utf-8")


@pytest.fixture
def environ(settings) -> dict[str, str]:
    """The environment that fills the example's variables."""
    settings.PORTAL_HOSTS = ["*.bitrix24.ru"]
    settings.ALLOW_PRIVATE_HOSTS = False
    return {
        "BITRIX_SOURCE_URL": "https://vinilam.bitrix24.ru/rest/1/SourceCode/",
        "BITRIX_TARGET_URL": "https://vinipol.bitrix24.ru/rest/7/TargetCode",
        "B24_AUTH_TOKEN": "inbound-secret",
    }
