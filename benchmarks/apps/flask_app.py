"""The smallest Flask app, for servers of WSGI."""

from flask import Flask, Response

app = Flask(__name__)


@app.get("/plaintext")
def plaintext():
    return Response("Hello, World!", mimetype="text/plain")
