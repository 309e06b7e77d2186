import ssl
from typing import Any

import pytest

from imageswap.registry.settings import InvalidSettings, Registries, RegistrySettings


def test_settings_by_registry() -> None:
    plain = RegistrySettings(scheme="http")
    registries = Registries({"R.example:5000": plain})
    assert registries.of("r.example:5000") is plain
    assert registries.of("r.example") == RegistrySettings()
    assert registries.of("auth.example", otherwise=plain) is plain


def test_context(ca: str) -> None:
    settings = {
        "a": RegistrySettings(ca=ca),
        "b": RegistrySettings(insecure_skip_verify=True),
        "c": RegistrySettings(ca=ca),
        "e": RegistrySettings(ca=f"# Főtanúsítvány\n{ca}\n# Ä\n"),
    }
    registries = Registries(settings)
    default = registries.context(registries.of("d"))
    with_ca = registries.context(settings["a"])
    assert with_ca.cert_store_stats()["x509"] == default.cert_store_stats()["x509"] + 1
    assert with_ca is registries.context(settings["c"])
    assert default.verify_mode is ssl.CERT_REQUIRED
    assert default.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert registries.context(settings["b"]).verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ca": "no certificate"}, "r.example: the CA"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "the CA"),
        ({"ca": "ä"}, "r.example: the CA"),
        ({"scheme": "ftp"}, "r.example: the scheme"),
    ],
)
def test_invalid(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        Registries({"r.example": RegistrySettings(**settings)})
    assert says in str(raised.value)
