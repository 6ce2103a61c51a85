"""From ``module:app`` to the app: imports what the user names, and says what to mend where it cannot."""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .exceptions import DataBridgeError


class Failure(DataBridgeError):
    """Something that the user has to mend; the text says what and how. ``code`` is the exit code that goes with it."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Target:
    """An app by name: ``module:attribute``, looked for in ``app_dir`` first.

    A ``factory``, or what is written as a call (``module:make()``), is called to make it.
    """

    name: str
    app_dir: str = "."
    factory: bool = False

    def __post_init__(self) -> None:
        """Raise :class:`Failure` where ``name`` cannot be one."""
        module, colon, attribute = self.name.partition(":")
        if not module or not attribute or not colon:
            raise Failure(f"{self.name!r} is not of the form module:app, for example main:app", code=2)

    def load(self) -> Any:
        """Import the app. Raises :class:`Failure` with what to do."""
        module, _, path = self.name.partition(":")
        folder = Path(self.app_dir).resolve()
        if not folder.is_dir():
            raise Failure(f"there is no folder {folder}; --app-dir names the one that {module!r} is in")
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        found = _attribute(_module(module, self.app_dir), path.removesuffix("()"), module)
        if not self.factory and not path.endswith("()"):
            return found
        try:
            return found()
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            _show(error)
            raise Failure(f"the factory {self.name!r} raised (see above)") from None


def _attribute(module: Any, path: str, named: str) -> Any:
    found = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            import difflib  # noqa: PLC0415 - only for the hint

            near = difflib.get_close_matches(name, dir(found), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise Failure(f"{named!r} has no attribute {path!r}{hint}") from None
    return found


def _module(name: str, app_dir: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            _show(error)
            raise Failure(f"{name!r} could not be imported (see above)") from None
        looked = Path(app_dir).resolve()
        hint = f"write {name.removesuffix('.py')!r}" if name.endswith(".py") else "use --app-dir to name its folder"
        raise Failure(f"there is no module {name!r} in {looked}; {hint}") from None
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        _show(error)
        raise Failure(f"{name!r} could not be imported (see above)") from None


def _show(error: Exception) -> None:
    """Print the traceback from the user's first line on; how the import came there is no news."""
    trace = error.__traceback__
    while trace is not None and _is_none_of_theirs(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(error.with_traceback(trace))


def _is_none_of_theirs(file: str) -> bool:
    return file in (__file__, importlib.__file__) or file.startswith("<frozen importlib")
