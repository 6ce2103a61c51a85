"""A worker's life: orders, the app, serving, an exit code. Masters run ``python -m data_bridge.workers.worker FD``."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from .. import _native, logs
from ..loading import Failure
from ..server import FORCED, Occasion
from ..serving import explained, interface, serve_here
from ..threads_left import end_without
from ..titles import entitle
from .duty import Duty
from .orders import Orders


def main() -> int:
    """Serve what the master orders on the control socket ``sys.argv[1]``; gives the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the master, which sends SIGTERM
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control = _inherit(int(sys.argv[1]))
    orders = Orders.receive(control)
    entitle("worker", orders.settings.process_name or orders.target.name)
    listeners = [_inherit(number) for number in orders.listeners]
    board = None if orders.board is None else _board(orders.board)
    duty = Duty(control, orders.settings)
    logs.configure(orders.settings)
    try:
        with explained():
            app = orders.target.load()
            interface(app, orders.settings)
            farewell = f"Worker {os.getpid()} ends."
            occasion = Occasion(listeners, duty.begin, (signal.SIGTERM,), farewell, board, orders.slot)
            serve_here(app, orders.settings, occasion)
    except Failure as failure:
        print(f"data-bridge: error: {failure}", file=sys.stderr)  # noqa: T201
        return failure.code
    except KeyboardInterrupt:
        end_without(FORCED, kind=threading.Thread)
        return FORCED
    end_without(0)
    return 0


def _board(number: int) -> _native.Board:
    try:
        return _native.Board(number)
    finally:
        os.close(number)


def _inherit(number: int) -> socket.socket:
    inherited = socket.socket(fileno=number)
    inherited.set_inheritable(False)  # by the app's own children
    return inherited


if __name__ == "__main__":
    sys.exit(main())
