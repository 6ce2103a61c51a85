"""The twin on `data_bridge.App`."""

from types import SimpleNamespace

import twin
import twin_depends

from data_bridge import App, Depends, Header, HTTPException, Path, Query, Request, Response
from data_bridge.background import BackgroundTask, BackgroundTasks
from data_bridge.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse

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
app = twin.build(App(), kit)
twin_depends.register(app, kit)
