"""`--reload`: the seconds from a save to the new answer, of an ASGI app and of a FastAPI app. The limit is 1.

Run as `python saves.py SAVES`: half of them write in place, half replace the file, as editors do.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import servers  # noqa: E402

LIMIT = 1.0
PLAIN = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"SAVED"})
"""
FASTAPI = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
async def saved() -> str:
    return "SAVED"
"""


def save(file: Path, text: str, *, replaced: bool) -> None:
    if replaced:
        beside = file.with_suffix(".py~")
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    else:
        file.write_text(text, encoding="utf-8")


def answer(server: servers.Server) -> str:
    """The app's answer; nothing where the worker that had the request was ended."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=servers.PATIENCE)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def seconds(source: str, saves: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "saved.py")
        file.write_text(source, encoding="utf-8")
        with servers.data_bridge("saved:app", "--reload", "--no-access-log", app_dir=Path(folder)) as server:
            server.wait_until(lambda: "SAVED" in answer(server))
            took = []
            for number in range(saves):
                began = time.monotonic()
                save(file, source.replace("SAVED", f"saved {number}."), replaced=number % 2 == 1)
                while f"saved {number}." not in answer(server):
                    time.sleep(0.005)
                took.append(time.monotonic() - began)
    return took


def main(saves: int) -> int:
    """Save and wait; the exit code says whether the limit was held."""
    missed = False
    for name, source in (("an ASGI app", PLAIN), ("a FastAPI app", FASTAPI)):
        took = seconds(source, saves)
        middle, worst = statistics.median(took), max(took)
        missed |= worst > LIMIT
        print(f"saves: {saves} of {name}, answered anew after {middle:.2f} s (median), {worst:.2f} s (worst)")
    return missed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
