"""The smallest `data_bridge.App`: base memory, cold start, idle CPU."""

from data_bridge import App
from data_bridge.responses import PlainTextResponse

app = App()


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext():
    return PlainTextResponse("Hello, World!")
