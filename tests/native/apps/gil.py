"""An app with a native route, and a way to keep the interpreter busy beside it."""

import ctypes
import os
import threading
import time

import native_wheel

from data_bridge import App

app = App()
app.native("/native", b"ok", content_type="text/plain")
app.native("/rows/{price}", native_wheel.range)


@app.get("/hold-until", inline=True)
def hold_until(pipe: str) -> str:
    """Another thread soon takes the GIL and keeps it until what it reads from this pipe has ended."""
    c = ctypes.PyDLL(None)

    def keep() -> None:
        time.sleep(0.2)  # so that this request is answered first
        read = c.open(pipe.encode(), os.O_RDONLY)
        c.read(read, ctypes.create_string_buffer(1), ctypes.c_size_t(1))
        os.close(read)

    threading.Thread(target=keep).start()
    return "held"


@app.get("/python")
async def python() -> str:
    return "python"
