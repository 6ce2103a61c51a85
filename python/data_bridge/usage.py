"""How the command line reads what it is given: one sentence for each mistake, with what was probably meant."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING, Any, NoReturn

from .foreign_flags import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parser(argparse.ArgumentParser):
    """A parser that does not take `--work` for `--workers`: the next release may have another flag that begins so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=Formatter, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where all options stand, and exit with 2."""
        said = message.removeprefix("argument ")
        self.exit(2, f"data-bridge: error: {said} (see {self.prog} --help)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.metavar == "COMMAND" and ":" in str(value):
            raise argparse.ArgumentError(None, f"{value!r} is no command; did you mean {self.prog} run {value}?")
        super()._check_value(action, value)

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Exit because of ``words`` that no option or argument takes."""
        flags = [word.partition("=")[0] for word in words if word.startswith("-")]
        if not flags:
            self.error(f"{words[0]!r} is one argument too many")
        for flag in flags[:-1]:
            self._print_message(f"data-bridge: error: {self._unknown(flag)}\n")
        self.error(self._unknown(flags[-1]))

    def _unknown(self, flag: str) -> str:
        if flag in ELSEWHERE:
            return f"there is no {flag}: {ELSEWHERE[flag]}"
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        return f"there is no {flag}" + (f"; did you mean {near[0]}?" if near else "")


class Formatter(argparse.HelpFormatter):
    """Shows an option's value once, after all its names, as Python does from 3.13 on."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=32, **options)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, str(action.metavar))}"
