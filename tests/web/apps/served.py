"""One application on our package and on FastAPI: forms, files, pages, streams, cookies and WebSockets."""

import hashlib
import os
from importlib import import_module
from pathlib import Path

FOLDER = Path(os.environ["SERVED_FOLDER"])


def build(root):
    """The application of a package that has FastAPI's names."""
    names, responses = import_module(root), import_module(f"{root}.responses")
    static, templating = import_module(f"{root}.staticfiles"), import_module(f"{root}.templating")
    app = names.FastAPI()
    templates = templating.Jinja2Templates(FOLDER)
    app.mount("/static", static.StaticFiles(directory=FOLDER, html=True), name="static")

    @app.post("/form")
    async def form(request: names.Request):
        async with request.form(max_fields=5) as data:
            return [
                [name, value if isinstance(value, str) else [value.filename, value.size, value.content_type]]
                for name, value in data.multi_items()
            ]

    @app.post("/upload")
    async def upload(
        file: names.UploadFile, note: str = names.Form("none"), more: list[names.UploadFile] = names.File([])
    ):
        content = await file.read()
        return {
            "digest": hashlib.sha256(content).hexdigest(),
            "size": file.size,
            "name": file.filename,
            "note": note,
            "more": [[extra.filename, extra.size] for extra in more],
        }

    @app.post("/bytes")
    def as_bytes(file: bytes = names.File()):
        return len(file)

    @app.get("/file")
    def file():
        return responses.FileResponse(FOLDER / "data.bin", filename="dätä.bin")

    @app.get("/page")
    def page(request: names.Request):
        return templates.TemplateResponse(request, "page.html", {"text": "<b>"})

    @app.get("/stream")
    async def stream():
        async def pieces():
            for number in range(3):
                yield f"{number}\n"

        return responses.StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/lines")
    def lines():
        return responses.StreamingResponse(f"{number}\n".encode() for number in range(3))

    @app.get("/cookie")
    def cookie(request: names.Request, response: names.Response):
        response.set_cookie("seen", "yes", max_age=10, httponly=True)
        return request.cookies

    @app.get("/away")
    def away(request: names.Request):
        return responses.RedirectResponse(request.url_for("page"), 303)

    @app.post("/body")
    async def body(request: names.Request):
        return {
            "pieces": b"".join([piece async for piece in request.stream()]).decode(),
            "again": len(await request.json()),
        }

    @app.websocket("/talk")
    async def talk(socket: names.WebSocket):
        await socket.accept("chat")
        async for text in socket.iter_text():
            if text == "end":
                await socket.close(3001, "as asked")
                return
            await socket.send_json({"got": text})

    @app.websocket("/denied")
    async def denied(socket: names.WebSocket):
        await socket.send_denial_response(responses.PlainTextResponse("no", 418))

    return app


app = build("data_bridge.fastapi")
theirs = build("fastapi")
