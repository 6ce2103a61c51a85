"""A Flask app with the parts that lean on WSGI: forms, files, streams, sessions, errors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from collections.abc import Iterator

app = flask.Flask(__name__)
app.secret_key = "for tests"


@app.get("/hello/<name>")
def hello(name: str) -> dict[str, str]:
    return {"hello": name, "q": flask.request.args.get("q", "")}


@app.post("/form")
def form() -> dict[str, object]:
    file = flask.request.files["file"]
    return {"field": flask.request.form["field"], "name": file.filename, "size": len(file.read())}


@app.get("/visits")
def visits() -> str:
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return str(flask.session["visits"])


@app.get("/stream")
def stream() -> flask.Response:
    @flask.stream_with_context
    def parts() -> Iterator[str]:
        for number in range(3):
            yield f"{number} of {flask.request.path}\n"

    return flask.Response(parts(), mimetype="text/plain")


@app.get("/file")
def file() -> flask.Response:
    return flask.send_file(__file__, mimetype="text/x-python", conditional=True)


@app.get("/memory")
def memory() -> flask.Response:
    return flask.send_file(io.BytesIO(b"in memory"), mimetype="text/plain")


@app.get("/broken")
def broken() -> str:
    raise LookupError("of the view's own")


@app.get("/where")
def where() -> str:
    return flask.url_for("hello", name="x", _external=True)
