"""The twin on FastAPI."""

from types import SimpleNamespace

import twin
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.background import BackgroundTasks
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.background import BackgroundTask

kit = SimpleNamespace(
    BackgroundTask=BackgroundTask,
    BackgroundTasks=BackgroundTasks,
    HTMLResponse=HTMLResponse,
    HTTPException=HTTPException,
    JSONResponse=JSONResponse,
    PlainTextResponse=PlainTextResponse,
    RedirectResponse=RedirectResponse,
    Request=Request,
    Response=Response,
    StreamingResponse=StreamingResponse,
)
app = twin.build(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), kit)
