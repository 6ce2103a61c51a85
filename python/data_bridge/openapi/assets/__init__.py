"""Swagger UI and ReDoc: a folder a package and version, files compressed. `scripts/docs_assets.sh` renews them."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def folder(package: str) -> str:
    """Give a package's folder, ``redoc@2.5.4``: it stands in addresses, so a browser may keep files for ever."""
    return next(path.name for path in _HERE.glob(f"{package}@*"))


def compressed(name: str) -> bytes:
    """Give a file, named as ``redoc@2.5.4/redoc.standalone.js``, as gzip holds it. Raises ``KeyError``."""
    if name not in names():
        raise KeyError(name)
    return (_HERE / f"{name}.gz").read_bytes()


@cache
def names() -> frozenset[str]:
    """Give the names of all files, so that no request can ask for another."""
    return frozenset(path.relative_to(_HERE).as_posix().removesuffix(".gz") for path in _HERE.glob("*@*/*.gz"))


@cache
def read(package: str, file: str) -> bytes:
    """Give a file of a package as it is."""
    return gzip.decompress(compressed(f"{folder(package)}/{file}"))
