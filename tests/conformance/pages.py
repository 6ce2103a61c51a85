"""Chromium without a network against the pages of an App: Swagger UI with "Try it out", and ReDoc.

    python tests/conformance/pages.py [--pictures FOLDER]

Everything that the pages load must come from the app. Says so and ends well where there is no Chromium.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance.websocket.browser import browser, find
from tests.support import servers

EXAMPLES = Path(__file__).parents[2] / "examples"
#: No name leads anywhere, and no address but this machine's.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

_UNTIL = """
  const until = find => new Promise(done => {
    const look = () => { const found = find(); found ? done(found) : requestAnimationFrame(look); };
    look();
  });
  const loaded = () => performance.getEntriesByType("resource").map(entry => entry.name);
"""

#: Opens an operation and tries it out. Comes to the answer's status, the text of the button for logging in, addresses.
SWAGGER_UI = f"""(async () => {{ {_UNTIL}
  const block = await until(() => document.querySelector("#operations-accounts-create_account_accounts_post"));
  block.querySelector(".opblock-summary-control").click();
  (await until(() => block.querySelector(".try-out__btn"))).click();
  (await until(() => block.querySelector(".execute"))).click();
  const status = await until(() => block.querySelector(".live-responses-table tr.response .response-col_status"));
  status.scrollIntoView({{block: "center"}});
  return [status.textContent.trim(), document.querySelector(".authorize span").textContent, loaded()];
}})()"""

REDOC = f"""(async () => {{ {_UNTIL}
  const title = await until(() => document.querySelector("h1"));
  const operation = await until(() => document.querySelector(`[id="tag/accounts/operation/login_token_post"]`));
  return [title.textContent.trim().slice(0, 5), operation.textContent.includes("/token"), loaded()];
}})()"""


def main() -> int:
    """Print what each page came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="write pictures of the pages to this folder")
    options = parser.parse_args()
    program = find()
    if program is None:
        print("skipped: no Chromium (chromium on PATH, or CHROMIUM=/path/to/it)")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        os.environ["NOTES_FOLDER"] = str(Path(name) / "notes")
        with (
            servers.data_bridge("notes.main:app", app_dir=EXAMPLES) as server,
            browser(program, Path(name) / "profile", OFFLINE) as page,
        ):
            for path, script, expected in (
                ("/docs", SWAGGER_UI, ["201", "Authorize"]),
                ("/redoc", REDOC, ["Notes", True]),
            ):
                *seen, loaded = page.run(server.url + path, script)
                strangers = [address for address in loaded if not address.startswith((server.url, "data:", "blob:"))]
                good = seen == expected and not strangers
                failed += not good
                said: Any = "as it should be" if good else f"{seen}, not {expected}; loaded from elsewhere: {strangers}"
                print(f"Chromium without a network, {path} ({len(loaded)} files): {said}")
                if options.pictures:
                    (options.pictures / f"{path[1:]}.png").write_bytes(page.picture(1280, 900))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
