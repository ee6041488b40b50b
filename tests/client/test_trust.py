"""Who is trusted: the usual authorities, read once; nobody where there is no encryption; whom the environment names."""

from __future__ import annotations

import ssl

import pytest

from aml_magics.client.trust import authorities
from aml_magics.embedded.certificates import make_certificate


def subjects(context: ssl.SSLContext) -> list[str]:
    return [str(one["subject"]) for one in context.get_ca_certs()]


def test_the_usual_authorities_are_trusted_and_read_once(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    context = authorities("https")
    assert len(subjects(context)) > 50
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert authorities("https") is context


def test_without_encryption_nobody_is_trusted_so_that_nothing_passes_by_mistake():
    context = authorities("http")
    assert subjects(context) == []
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_names_others(monkeypatch, tmp_path, variable):
    files = make_certificate(tmp_path / "made", ["localhost"])
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(files.ca if variable == "SSL_CERT_FILE" else tmp_path / "empty"))
    (tmp_path / "empty").mkdir()
    assert [("aml_magics" in one) for one in subjects(authorities("https"))] == [True] * (variable == "SSL_CERT_FILE")
