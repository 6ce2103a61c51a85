"""An ASGI app that sends back what it gets as it comes; /never does not answer."""


async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/never":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})
