"""The twin on `data_bridge.App`."""

from types import SimpleNamespace

import twin

from data_bridge import App, HTTPException, Request, Response
from data_bridge.background import BackgroundTask, BackgroundTasks
from data_bridge.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse

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
app = twin.build(App(), kit)
