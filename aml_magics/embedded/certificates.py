"""A certificate for this machine, so that the embedded workspace can be served over TLS and be trusted by who is told.

``make_certificate`` keeps three files in a folder: an authority of its own (what a client is told to trust, for example
with ``REQUESTS_CA_BUNDLE``), the certificate that the authority has signed, and that certificate's key. The authority's
key is never written: whoever trusts the authority trusts this one certificate. They are used again until they expire
or another set of names is wanted; then all three are made anew, and whoever trusted the old authority must be told.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aml_magics.model.errors import InvalidInput

__all__ = ["CertificateFiles", "make_certificate"]

_VALID = timedelta(days=365)
_SLACK = timedelta(days=1)  # clocks differ: it is valid since yesterday, and made anew a day before it ends


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: what to trust, what to show, and the key to it, which only its owner can read."""

    ca: Path
    certificate: Path
    key: Path


def make_certificate(folder: Path, names: Sequence[str], *, now: datetime | None = None) -> CertificateFiles:
    """Files in ``folder`` (made when it is not there) with a certificate for ``names``: host names and IP addresses.

    ``now`` is an aware moment, the system's by default. Raises ``InvalidInput`` for names that no certificate can have
    and for a folder that cannot be written.
    """
    wanted = _subject_names(names)
    now = now or datetime.now(UTC)
    files = CertificateFiles(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    try:
        if not _is_good(files, wanted, now):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(files, wanted, now)
    except OSError as error:
        message = f"the certificate cannot be kept in {folder.as_posix()!r}: {(error.strerror or 'no access').lower()}"
        raise InvalidInput(message, hint="Choose a folder that you can write to.") from error
    return files


def _subject_names(names: Sequence[str]) -> list[x509.GeneralName]:
    if not names:
        raise InvalidInput("a certificate needs a name", hint="For example localhost.")
    return [_subject_name(name) for name in dict.fromkeys(names)]


def _subject_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if not name or not name.isascii() or name.split() != [name]:
            message = f"{name!r} is neither a host name nor an IP address"
            raise InvalidInput(message, hint="Use letters, digits, - and dots, for example localhost.") from None
        return x509.DNSName(name)


def _is_good(files: CertificateFiles, wanted: Sequence[x509.GeneralName], now: datetime) -> bool:
    """Whether the files are there, belong together, are for these names and are valid for another day."""
    try:
        authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except FileNotFoundError:
        return False
    except Exception:  # noqa: BLE001 - half written, foreign or mixed up: they are made anew
        return False
    return (
        set(names) == set(wanted)
        and key.public_key() == certificate.public_key()
        and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _SLACK
    )


def _make(files: CertificateFiles, names: Sequence[x509.GeneralName], now: datetime) -> None:
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    # Each authority has a name of its own: two with one name and different keys confuse who trusts both.
    serial = x509.random_serial_number()
    issuer = _named(f"aml_magics {serial:x}"[:64])
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), serial, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_named("aml_magics"), issuer, key.public_key(), x509.random_serial_number(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),  # OpenSSL's strict mode
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, private, 0o600)
    _write(files.ca, authority.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, serial: int, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """The file appears whole and with its mode: a key is never readable to others, not for a moment."""
    number, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # which is readable to us alone
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        Path(unfinished).replace(path)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
