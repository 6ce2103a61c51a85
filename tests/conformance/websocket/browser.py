"""Chromium against our server: WebSocket and fetch, plain and over TLS, spoken to by its own debugging protocol.

Looks for `chromium`, `chromium-browser` or `google-chrome` on PATH (or ``CHROMIUM``); where there is none, says so and
ends well.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import servers
from tests.support.certificates import Authority
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parents[2] / "http" / "apps"
NAMES = ("chromium", "chromium-browser", "google-chrome")

#: What the page does; its value is compared with `EXPECTED`.
SCRIPT = """
(async () => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/talk");
  socket.binaryType = "arraybuffer";
  const next = () => new Promise((done, failed) => { socket.onmessage = e => done(e.data); socket.onerror = failed; });
  const scheme = JSON.parse(await next()).scheme;
  const text = "\\u00e4\\ud83d\\ude00".repeat(50000);
  socket.send(text);
  const echoed = await next();
  socket.send(new Uint8Array(70000).fill(7));
  const bytes = new Uint8Array(await next());
  const closed = new Promise(done => { socket.onclose = e => done([e.code, e.wasClean]); });
  socket.close(4001, "enough");
  const posted = await fetch("/echo", {method: "POST", body: "x".repeat(100000)});
  return [scheme, echoed === text, bytes.length, bytes.every(b => b === 7), socket.extensions.split(";")[0],
          await closed, (await posted.text()).length, location.protocol];
})()
"""


def expected(scheme: str) -> list[Any]:
    """Give what the page has to see."""
    ours = "wss" if scheme == "https" else "ws"
    return [ours, True, 70000, True, "permessage-deflate", [4001, True], 100000, f"{scheme}:"]


def find() -> str | None:
    """Give the browser's program."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page of the browser, by the Chrome DevTools Protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._asked = 0
        self._session = ""

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its result."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        self._connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._connection.recv(servers.PATIENCE))
            if answer.get("id") == self._asked:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def run(self, url: str, script: str) -> Any:
        """Give what `script` comes to on the page at `url`."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.navigate", session, url=url)
        # Navigating answers once the new page has begun, and its origin is all that the script needs.
        result = self.ask("Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"]["value"]

    def picture(self, width: int, height: int) -> bytes:
        """Give a picture (PNG) of what the last script left."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", self._session, **size)
        shot = self.ask("Page.captureScreenshot", self._session, format="png")
        return base64.b64decode(shot["data"])


@contextlib.contextmanager
def browser(program: str, folder: Path, *more: str) -> Iterator[Page]:
    """Run the browser without a window, with ``more`` flags."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    flags += ["--ignore-certificate-errors", "--remote-allow-origins=*", f"--user-data-dir={folder}", *more]
    process = subprocess.Popen([program, *flags], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next(line.split()[-1] for line in lines if line.startswith("DevTools listening on "))
        with connect(address, max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.communicate()


def main() -> int:
    """Print what each scheme came to."""
    program = find()
    if program is None:
        print("skipped: no Chromium (chromium on PATH, or CHROMIUM=/path/to/it)")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        certificate = Authority(folder).issue("server", "localhost", "127.0.0.1")
        with browser(program, folder / "profile") as page:
            for scheme, flags in (("http", ()), ("https", certificate.flags)):
                with servers.data_bridge("secured:app", *flags, app_dir=APPS) as server:
                    seen = page.run(server.url, SCRIPT)
                good = seen == expected(scheme)
                failed += not good
                print(f"Chromium, {scheme}: {'as it should be' if good else f'{seen}, not {expected(scheme)}'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
