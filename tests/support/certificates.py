"""Certificates for tests: an authority and what it signs, made by `openssl` in a folder of the test's own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import require_program

if TYPE_CHECKING:
    from pathlib import Path


def _openssl(folder: Path, *arguments: str, given: str = "") -> None:
    command = [require_program("openssl"), *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, input=given, text=True)


@dataclass(frozen=True)
class Certificate:
    """The files of one certificate."""

    chain: Path
    key: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """How the command line is told of it."""
        return ("--ssl-certfile", str(self.chain), "--ssl-keyfile", str(self.key))


class Authority:
    """A root of trust in `folder`, with an intermediate authority that signs everything."""

    def __init__(self, folder: Path, name: str = "root") -> None:
        self.folder = folder
        self.root = folder / f"{name}.pem"
        self._name = name
        own = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/O=Tests/CN={name}")
        ca = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        _openssl(folder, "req", "-x509", *_EC, "-days", "2", *own, *ca)
        self._sign(f"{name}-between", f"/O=Tests/CN={name}-between", _AUTHORITY, name)

    def issue(self, name: str, *hosts: str, subject: str | None = None, kind: str = "ec") -> Certificate:
        """Sign a certificate for `hosts` (DNS names or addresses); its chain holds the intermediate one."""
        alternatives = ",".join(("IP:" if host[0].isdigit() else "DNS:") + host for host in hosts)
        extension = f"subjectAltName={alternatives}" if hosts else "extendedKeyUsage=clientAuth"
        between = f"{self._name}-between"
        self._sign(name, subject or f"/O=Tests/CN={name}", extension, between, kind=kind)
        chain = self.folder / f"{name}.pem"
        chain.write_text(chain.read_text() + (self.folder / f"{between}.pem").read_text())
        return Certificate(chain, self.folder / f"{name}.key")

    def encrypt(self, certificate: Certificate, password: str) -> Certificate:
        """Give the same certificate with its key encrypted."""
        sealed = certificate.key.with_suffix(".sealed")
        files = ("-in", str(certificate.key), "-out", str(sealed))
        _openssl(self.folder, "pkcs8", "-topk8", *files, "-passout", f"pass:{password}")
        return Certificate(certificate.chain, sealed)

    def _sign(self, name: str, subject: str, extension: str, by: str, *, kind: str = "ec") -> None:
        key = _EC if kind == "ec" else ("-newkey", "rsa:2048", "-nodes")
        _openssl(self.folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        # What RFC 5280 wants, and Python checks since 3.13.
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"
        (self.folder / f"{name}.ext").write_text(f"{extension}\n{identifiers}")
        signing = ("-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", "2")
        files = ("-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext")
        _openssl(self.folder, "x509", "-req", *files, *signing)


_AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
