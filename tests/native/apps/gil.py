"""An app with a native route, and ways to keep the interpreter busy beside it."""

import ctypes
import threading
import time

import native_wheel

from data_bridge import App

app = App()
app.native("/native", b"ok", content_type="text/plain")
app.native("/rows/{price}", native_wheel.range)


@app.get("/hold/{milliseconds}", inline=True)
def hold(milliseconds: int) -> str:
    """Another thread soon takes the GIL and keeps it: `usleep` called with the GIL held."""

    def keep() -> None:
        time.sleep(0.2)  # so that this request is answered first
        ctypes.PyDLL(None).usleep(milliseconds * 1000)

    threading.Thread(target=keep).start()
    return "held"


@app.get("/python")
async def python() -> str:
    return "python"
