"""The loops compared, by name. Adding one is one line."""

import importlib
from asyncio import AbstractEventLoop

from benchmarks.driver.environment import WANTED

FACTORIES = {
    "asyncio": "asyncio:SelectorEventLoop",
    "uvloop": "uvloop:new_event_loop",
    "rloop": "rloop:new_event_loop",
    "data_bridge": "data_bridge:new_event_loop",
}
if WANTED != "3.13":  # it wants 3.14
    FACTORIES["zuvloop"] = "zuvloop:new_event_loop"


def new_loop(name: str) -> AbstractEventLoop:
    """A fresh loop of that kind."""
    module, _, attribute = FACTORIES[name].partition(":")
    loop: AbstractEventLoop = getattr(importlib.import_module(module), attribute)()
    return loop
