"""The command line: `data-bridge run module:app`, `python -m data_bridge`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from . import __version__, pidfile
from .loading import Failure, Target
from .server import FORCED
from .serving import explained, serve_as_set
from .settings import Settings, Texts, chosen, environment_name, misspelled, parse, shown
from .threads_left import end_without
from .titles import entitle
from .usage import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 after a graceful stop, 130 after a forced one; 1, 2, 3 if nothing was served."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    try:
        options.command(options)
    except Failure as failure:
        print(f"data-bridge: error: {failure}", file=sys.stderr)  # noqa: T201
        sys.exit(failure.code)
    except KeyboardInterrupt:
        end_without(FORCED, kind=threading.Thread)
        sys.exit(FORCED)
    end_without(0)


def _parser() -> Parser:
    parser = Parser(prog="data-bridge", description="Serve Python web applications on one Tokio runtime.")
    parser.add_argument("--version", action="version", version=f"data-bridge {__version__}")
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="serve an application",
        usage="data-bridge run [OPTIONS] MODULE:APP",
        description="Serve an application. Every option is also an environment variable, named in brackets.",
    )
    _add_app(run)
    _add_settings(run)
    run.set_defaults(command=_run, parser=run)
    dev = commands.add_parser(
        "dev",
        help="serve an application while it is written: `run --reload`",
        usage="data-bridge dev [OPTIONS] MODULE:APP",
        description="Serve an application, and start again whenever its files change. The options are those of `run`.",
    )
    _add_app(dev)
    _add_settings(dev)
    dev.set_defaults(command=_run, parser=dev, reload=True)
    renew = commands.add_parser(
        "reload",
        help="restart the workers of a running server one by one",
        description="Restart the workers of a running server one by one; no request fails. The same as SIGHUP.",
    )
    renew.add_argument("--pidfile", required=True, metavar="FILE", help="what the server was given as --pidfile")
    renew.set_defaults(command=_renew, parser=renew)
    routes = commands.add_parser(
        "routes",
        help="show how each route of an application is run",
        description="Show each route's tier (see the documentation of the plan), and why a route is not compiled.",
    )
    _add_app(routes)
    routes.set_defaults(command=_routes, parser=routes)
    check = commands.add_parser(
        "check",
        help="look for mistakes in the routes of an application",
        description="Import an application and look for routes that are never reached, path parameters that nothing "
        "takes, operations of one name. Prints file and line of each; the exit code is 1 where there is one.",
    )
    _add_app(check)
    check.set_defaults(command=_check, parser=check)
    new = commands.add_parser(
        "new-native",
        help="begin a module with handlers in Rust",
        description="Write a project of a module with one handler in Rust. To build it, pip needs a Rust toolchain.",
    )
    new.add_argument("folder", metavar="NAME", type=Path, help="a folder that does not exist; its name is the module's")
    new.set_defaults(command=_new_native, parser=new)
    return parser


def _add_app(parser: Parser) -> None:
    parser.add_argument("app", metavar="MODULE:APP", help="the module and the name of the app in it, e.g. main:app")
    parser.add_argument("--factory", action="store_true", help="APP is a function without arguments that makes the app")
    parser.add_argument(
        "--app-dir", default=".", metavar="DIR", help="look for the module here first (default: %(default)s)"
    )
    parser.add_argument(
        "--env-file",
        "--env-files",
        action="append",
        default=[],
        metavar="FILE",
        help="take NAME=value lines from here where the environment has no such name; needs python-dotenv",
    )
    parser.add_argument("--working-dir", metavar="DIR", help="change to this folder first")


def _surroundings(options: argparse.Namespace) -> None:
    """Make folder and environment what the options say, before anything looks at them."""
    try:
        if options.working_dir:
            os.chdir(options.working_dir)
    except OSError as error:
        raise Failure(f"--working-dir {options.working_dir}: {error.strerror}") from None
    if not options.env_file:
        return
    try:
        from dotenv import load_dotenv  # noqa: PLC0415 - only where a file is given
    except ImportError:
        raise Failure("--env-file needs the package python-dotenv (pip install python-dotenv)") from None
    for file in options.env_file:
        if not Path(file).is_file():
            raise Failure(f"--env-file {file}: there is no such file")
        load_dotenv(file)


def _routes(options: argparse.Namespace) -> None:
    from .plan.explain import Unexplained, explain, render  # noqa: PLC0415 - `run` does without it

    _surroundings(options)
    app = _target(options).load()
    try:
        print(render(explain(app)))  # noqa: T201
    except Unexplained as error:
        raise Failure(str(error), code=2) from None


def _check(options: argparse.Namespace) -> None:
    from .checks import check  # noqa: PLC0415 - `run` does without it

    _surroundings(options)
    app = _target(options).load()
    if not hasattr(app, "routes"):
        raise Failure(f"{app!r} has no routes that could be checked", code=2)
    findings = check(app)
    for finding in findings:
        print(finding)  # noqa: T201
    if findings:
        raise Failure(f"{len(findings)} to mend in {options.app}")
    print(f"{options.app}: nothing to mend")  # noqa: T201


def _new_native(options: argparse.Namespace) -> None:
    from .new_native import create  # noqa: PLC0415 - `run` does without it

    print(create(options.folder))  # noqa: T201


def _add_settings(parser: Parser) -> None:
    hints = get_type_hints(Settings)
    groups: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.metadata["group"]
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        group = groups[name]
        kind = hints[item.name]
        flag = "--" + item.name.replace("_", "-")
        default = f" (default: {shown(item)})" if item.default not in (None, "", ()) else ""
        text = f"{item.metadata['help']}{default} [{environment_name(item.name)}]"
        options: dict[str, Any] = {"dest": item.name, "default": argparse.SUPPRESS, "help": text}
        if kind in (bool, bool | None):
            group.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        elif kind == Texts:
            group.add_argument(flag, *item.metadata["flags"], action="append", metavar="TEXT", **options)
        else:
            options["type"] = _type(kind)
            choices = get_args(kind)
            if choices and all(isinstance(choice, str) for choice in choices):
                options["choices"] = choices
            else:
                options["metavar"] = _METAVARS.get(kind, "TEXT")
            group.add_argument(flag, *item.metadata["flags"], **options)


#: What stands for the value of a setting in the help.
_METAVARS = {int: "N", int | None: "N", float: "NUMBER"}


def _type(kind: Any) -> Any:
    def convert(raw: str) -> Any:
        try:
            return parse(kind, raw)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}, not {raw!r}") from None

    return convert


def _run(options: argparse.Namespace) -> None:
    _surroundings(options)
    names = {item.name for item in fields(Settings)}
    given = {
        name: tuple(part for text in value for part in parse(Texts, text)) if isinstance(value, list) else value
        for name, value in vars(options).items()
        if name in names
    }
    try:
        settings = chosen(given)
    except ValueError as error:
        raise Failure(str(error), code=2) from None
    for name, meant in misspelled().items():
        print(f"data-bridge: warning: {name} is no setting; did you mean {meant}?", file=sys.stderr)  # noqa: T201
    role = "master" if settings.workers > 1 or settings.reload else "server"
    entitle(role, settings.process_name or options.app)
    with explained():
        code = serve_as_set(_target(options), settings)
    if code:
        sys.exit(code)


def _renew(options: argparse.Namespace) -> None:
    pid = pidfile.read(options.pidfile)
    if pid is None:
        raise Failure(f"{options.pidfile} names no process; was the server started with --pidfile {options.pidfile}?")
    try:
        os.kill(pid, signal.SIGHUP)
    except OSError as error:
        raise Failure(f"process {pid} of {options.pidfile}: {error.strerror}") from None


def _target(options: argparse.Namespace) -> Target:
    return Target(options.app, app_dir=options.app_dir, factory=options.factory)
