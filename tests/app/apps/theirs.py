"""The twin on FastAPI."""

from types import SimpleNamespace

import twin
import twin_depends
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response
from fastapi.background import BackgroundTasks
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.background import BackgroundTask

kit = SimpleNamespace(
    BackgroundTask=BackgroundTask,
    BackgroundTasks=BackgroundTasks,
    Depends=Depends,
    HTMLResponse=HTMLResponse,
    HTTPException=HTTPException,
    Header=Header,
    JSONResponse=JSONResponse,
    Path=Path,
    PlainTextResponse=PlainTextResponse,
    Query=Query,
    RedirectResponse=RedirectResponse,
    Request=Request,
    Response=Response,
    StreamingResponse=StreamingResponse,
)
app = twin.build(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), kit)
twin_depends.register(app, kit)
