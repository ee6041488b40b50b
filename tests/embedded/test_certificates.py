"""A certificate that only who was told trusts, made once and made anew when it has to be."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from aml_magics.embedded.certificates import CertificateFiles, make_certificate
from aml_magics.model.errors import InvalidInput

NAMES = ("localhost", "x.blob.localhost", "127.0.0.1")
NOW = datetime(2030, 5, 6, 12, tzinfo=UTC)


def shake_hands(files: CertificateFiles, trust: Path, name: str) -> None:
    """A TLS handshake over a socket pair. Raises ``ssl.SSLError``."""
    here, there = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client = ssl.create_default_context(cafile=str(trust))
        client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default of Python 3.13
        client.wrap_socket(here, server_hostname=name).close()
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_who_trusts_the_authority_trusts_the_server_under_each_of_its_names(tmp_path, name):
    files = make_certificate(tmp_path / "tls", NAMES)

    shake_hands(files, files.ca, name)


def test_another_name_is_not_trusted(tmp_path):
    files = make_certificate(tmp_path, NAMES)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(files, files.ca, "elsewhere.localhost")


def test_another_authority_is_not_trusted(tmp_path):
    files, others = make_certificate(tmp_path / "a", NAMES), make_certificate(tmp_path / "b", NAMES)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(files, others.ca, "localhost")


def test_only_the_owner_can_read_the_key(tmp_path):
    files = make_certificate(tmp_path, NAMES)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "certificate.pem", "key.pem"]
    assert "PRIVATE" not in files.ca.read_text() + files.certificate.read_text()


def test_it_is_valid_from_yesterday_for_a_year(tmp_path):
    files = make_certificate(tmp_path, NAMES, now=NOW)

    for path in (files.ca, files.certificate):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert certificate.not_valid_before_utc == NOW - timedelta(days=1)
        assert certificate.not_valid_after_utc == NOW + timedelta(days=365)


def test_the_same_names_get_the_same_certificate(tmp_path):
    first = make_certificate(tmp_path, NAMES, now=NOW).certificate.read_bytes()

    again = make_certificate(tmp_path, tuple(reversed(NAMES)), now=NOW + timedelta(days=300))

    assert again.certificate.read_bytes() == first


def test_it_is_made_anew_a_day_before_it_expires(tmp_path):
    first = make_certificate(tmp_path, NAMES, now=NOW).certificate.read_bytes()

    assert make_certificate(tmp_path, NAMES, now=NOW + timedelta(days=364)).certificate.read_bytes() != first


def test_it_is_made_anew_for_other_names(tmp_path):
    first = make_certificate(tmp_path, NAMES, now=NOW).certificate.read_bytes()

    assert make_certificate(tmp_path, NAMES[:1], now=NOW).certificate.read_bytes() != first


@pytest.mark.parametrize("name", ["ca.pem", "certificate.pem", "key.pem"])
def test_files_that_do_not_belong_together_are_made_anew(tmp_path, name):
    other = make_certificate(tmp_path / "other", NAMES)
    files = make_certificate(tmp_path / "tls", NAMES)
    (tmp_path / "tls" / name).write_bytes((other.ca.parent / name).read_bytes())

    shake_hands(make_certificate(tmp_path / "tls", NAMES), files.ca, "localhost")


def test_files_that_are_no_certificates_are_made_anew(tmp_path):
    (tmp_path / "ca.pem").write_text("half")
    (tmp_path / "certificate.pem").write_text("written")
    (tmp_path / "key.pem").write_text("")

    files = make_certificate(tmp_path, NAMES)

    shake_hands(files, files.ca, "localhost")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


@pytest.mark.parametrize("names", [(), ("",), ("two words",), ("ü.localhost",)])
def test_what_cannot_be_a_name_is_refused(tmp_path, names):
    with pytest.raises(InvalidInput):
        make_certificate(tmp_path, names)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_one_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("x")

    with pytest.raises(InvalidInput, match="cannot be kept in"):
        make_certificate(tmp_path / "file", NAMES)
