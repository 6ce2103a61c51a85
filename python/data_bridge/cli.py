"""The command line: `data-bridge run module:app`, `python -m data_bridge`."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import traceback
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from . import __version__
from .exceptions import StartupFailed
from .serving import serve
from .settings import Settings, environment_name, from_environment, parse

if TYPE_CHECKING:
    from collections.abc import Sequence


class Failure(Exception):
    """Something that the user has to mend; the text says what and how."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 after a graceful stop, 2 for wrong arguments, 1 or 3 if nothing was served."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except Failure as failure:
        print(f"data-bridge: error: {failure}", file=sys.stderr)  # noqa: T201
        sys.exit(failure.code)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="data-bridge", description="Serve Python web applications on one Tokio runtime."
    )
    parser.add_argument("--version", action="version", version=f"data-bridge {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="serve an application",
        description="Serve an application. Every option is also an environment variable, named in brackets.",
    )
    _add_app(run)
    _add_settings(run)
    run.set_defaults(command=_run)
    routes = commands.add_parser(
        "routes",
        help="show how each route of an application is run",
        description="Show each route's tier (see the documentation of the plan), and why a route is not compiled.",
    )
    _add_app(routes)
    routes.set_defaults(command=_routes)
    return parser


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app", metavar="MODULE:APP", help="the module and the name of the app in it, e.g. main:app")
    parser.add_argument("--factory", action="store_true", help="APP is a function without arguments that makes the app")
    parser.add_argument(
        "--app-dir", default=".", metavar="DIR", help="look for the module here first (default: %(default)s)"
    )


def _routes(options: argparse.Namespace) -> None:
    from .plan.explain import Unexplained, explain, render  # noqa: PLC0415 - `run` does without it

    app = load(options.app, app_dir=options.app_dir, factory=options.factory)
    try:
        print(render(explain(app)))  # noqa: T201
    except Unexplained as error:
        raise Failure(str(error), code=2) from None


def _add_settings(parser: argparse.ArgumentParser) -> None:
    hints = get_type_hints(Settings)
    groups: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.metadata["group"]
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        group = groups[name]
        kind = hints[item.name]
        flag = "--" + item.name.replace("_", "-")
        shown = f"{item.metadata['help']} (default: {item.default}) [{environment_name(item.name)}]"
        options: dict[str, Any] = {"dest": item.name, "default": argparse.SUPPRESS, "help": shown}
        if kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        else:
            options["type"] = _type(kind)
            choices = get_args(kind)
            if choices and all(isinstance(choice, str) for choice in choices):
                options["choices"] = choices
            else:
                options["metavar"] = item.name.upper()
            group.add_argument(flag, *item.metadata["flags"], **options)


def _type(kind: Any) -> Any:
    def convert(raw: str) -> Any:
        return parse(kind, raw)

    convert.__name__ = getattr(kind, "__name__", "text")
    return convert


def _run(options: argparse.Namespace) -> None:
    names = {item.name for item in fields(Settings)}
    given = {name: value for name, value in vars(options).items() if name in names}
    try:
        settings = Settings(**{**from_environment(), **given})
    except ValueError as error:
        raise Failure(str(error), code=2) from None
    app = load(options.app, app_dir=options.app_dir, factory=options.factory)
    try:
        serve(app, **{name: getattr(settings, name) for name in names})
    except StartupFailed as error:
        logging.getLogger("data_bridge.error").error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 - the cause is the app's
        raise Failure("the app's start-up failed, nothing was served (see above)", code=3) from None
    except OSError as error:
        raise Failure(_unbound(settings, error)) from None
    except (TypeError, ValueError) as error:
        raise Failure(str(error), code=2) from None


def _unbound(settings: Settings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == 98:  # noqa: PLR2004 - EADDRINUSE
        return f"{where} is in use by another program; stop it or choose another --port"
    return f"cannot listen on {where}: {error.strerror or error}"


def load(target: str, *, app_dir: str = ".", factory: bool = False) -> Any:
    """Import the app that ``module:attribute`` names. Raises :class:`Failure` with what to do."""
    module_name, colon, path = target.partition(":")
    if not module_name or not path or not colon:
        raise Failure(f"{target!r} is not of the form module:app, for example main:app", code=2)
    sys.path.insert(0, str(Path(app_dir).resolve()))
    found: Any = _import(module_name, app_dir)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            import difflib  # noqa: PLC0415 - only for the hint

            near = difflib.get_close_matches(name, dir(found), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise Failure(f"{module_name!r} has no attribute {path!r}{hint}") from None
    if not factory:
        return found
    try:
        return found()
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        traceback.print_exc()
        raise Failure(f"the factory {target!r} raised (see above)") from None


def _import(name: str, app_dir: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            traceback.print_exc()
            raise Failure(f"{name!r} could not be imported (see above)") from None
        looked = Path(app_dir).resolve()
        hint = f"write {name.removesuffix('.py')!r}" if name.endswith(".py") else "use --app-dir to name its folder"
        raise Failure(f"there is no module {name!r} in {looked}; {hint}") from None
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        traceback.print_exc()
        raise Failure(f"{name!r} could not be imported (see above)") from None
