"""What a program pays for when it imports App: no Pydantic, until a parameter, a result or a model asks for it."""

import subprocess
import sys

PRELUDE = """
import sys
from data_bridge import App, Request
from data_bridge.responses import PlainTextResponse

app = App()

@app.get("/plaintext")
async def plaintext(request: Request):
    return PlainTextResponse(request.method)
"""

SERVED = """
import asyncio, data_bridge
from urllib.parse import urlsplit

async def main():
    async with data_bridge.Server(app, port=0) as server:
        address = urlsplit(server.urls[0])
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"GET /plaintext HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
        answer = await reader.read()
        writer.close()
        assert answer.endswith(b"GET"), answer

data_bridge.run(main())
"""

FIELD = """
@app.get("/items/{number}")
async def item(number: int):
    return number
"""


def imports_pydantic(program: str) -> bool:
    """Run the program in an interpreter of its own, and look at what it has imported in the end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint('pydantic' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "True"


def test_an_app_without_fields_is_made_and_served_without_pydantic():
    assert not imports_pydantic(PRELUDE + SERVED)


def test_the_first_field_imports_it():
    assert imports_pydantic(PRELUDE + FIELD)
