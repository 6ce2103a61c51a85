"""`data_bridge.fastapi`: FastAPI's names under its module paths, each the very module or object of ours."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import fastapi
import pytest
from tests.support.servers import PATIENCE

import data_bridge.fastapi
from data_bridge.fastapi.modules import MODULES

FOLDER = Path(data_bridge.fastapi.__file__).parent
PUBLIC = [name for name in MODULES if not any(part.startswith("_") for part in name.split("."))]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_our_own(name: str) -> None:
    module = importlib.import_module(f"data_bridge.fastapi.{name}")
    assert module is importlib.import_module(f"data_bridge.{MODULES[name]}")
    assert module.__spec__.name == f"data_bridge.{MODULES[name]}"


@pytest.mark.parametrize("name", data_bridge.fastapi.__all__)
def test_a_name_is_there(name: str) -> None:
    assert getattr(data_bridge.fastapi, name) is not None
    assert hasattr(fastapi, name)


@pytest.mark.skipif(fastapi.__version__ != data_bridge.fastapi.__version__, reason="another release than we follow")
def test_no_public_module_of_fastapi_is_missing() -> None:
    theirs = {found.name.removeprefix("fastapi.") for found in pkgutil.walk_packages(fastapi.__path__, "fastapi.")}
    public = {name for name in theirs if not any(part.startswith("_") for part in name.split("."))}
    ours = {*MODULES, "cli", "logger"}
    assert public <= ours, sorted(public - ours)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_type_checker_finds_the_module(name: str) -> None:
    is_package = any(other.startswith(f"{name}.") for other in PUBLIC)
    stub = FOLDER / (name.replace(".", "/") + ("/__init__.pyi" if is_package else ".pyi"))
    assert stub.read_text().splitlines()[0] == f"from data_bridge.{MODULES[name]} import *"


def test_nothing_of_fastapi_is_imported() -> None:
    names = ", ".join(data_bridge.fastapi.__all__)
    code = f"""
import importlib, sys
from data_bridge.fastapi import {names}
from data_bridge.fastapi.modules import MODULES
for name in MODULES:
    if not name.startswith("telemetry."):
        importlib.import_module("data_bridge.fastapi." + name)
found = {{name.partition(".")[0] for name in sys.modules}}
assert not found & {{"fastapi", "starlette", "anyio", "opentelemetry"}}
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


def test_installed_it_stands_for_fastapi_in_libraries_too() -> None:
    code = """
import data_bridge.fastapi
data_bridge.fastapi.install()
data_bridge.fastapi.install()
import fastapi.routing
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
import fastapi.cli
import data_bridge, data_bridge.middleware.cors
assert FastAPI is data_bridge.App
assert fastapi.routing is data_bridge.routing
assert CORSMiddleware is data_bridge.middleware.cors.CORSMiddleware
assert fastapi.cli.__name__ == "data_bridge.fastapi.cli"
try:
    import fastapi.nothing
except ModuleNotFoundError as error:
    assert error.name == "fastapi.nothing", error.name
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


def test_it_is_not_installed_over_fastapi() -> None:
    with pytest.raises(RuntimeError, match="before anything imports it"):
        data_bridge.fastapi.install()


def test_a_router_of_fastapi_itself_is_refused_with_advice() -> None:
    with pytest.raises(
        TypeError, match=r"not a fastapi\.routing\.APIRouter: import what makes it from data_bridge\.fastapi"
    ):
        data_bridge.fastapi.FastAPI().include_router(fastapi.APIRouter())


def test_children_with_another_name_are_found_from_their_package() -> None:
    code = """
import data_bridge.fastapi as fastapi
from data_bridge.fastapi._compat import shared, v2
from data_bridge.fastapi.dependencies import utils
from data_bridge.fastapi.security import utils as security
import data_bridge.fields.annotations, data_bridge.security.authorization
assert shared is data_bridge.fields.annotations
assert v2 is data_bridge.fields
assert security is data_bridge.security.authorization
assert fastapi.routing is data_bridge.routing
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
