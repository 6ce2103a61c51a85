"""Apps with middleware that our server carries out itself, in several orders; `FRAMEWORK` says whose apps they are."""

import gzip
import os
import sys
from importlib import import_module
from typing import Any

NAME = os.environ["FRAMEWORK"]
fastapi = import_module(NAME)
responses = import_module(f"{NAME}.responses")


def declare(app: Any, module: str, name: str, **options: Any) -> None:
    """Put a middleware of the framework's around ``app``; what it has not itself is Starlette's."""
    try:
        found = import_module(f"{NAME}.middleware.{module}")
    except ModuleNotFoundError:
        found = import_module(f"{'starlette' if NAME == 'fastapi' else 'data_bridge'}.middleware.{module}")
    app.add_middleware(getattr(found, name), **options)


def router() -> Any:
    routes = fastapi.APIRouter()

    @routes.get("/json")
    async def small() -> dict[str, str]:
        return {"hello": "world"}

    @routes.get("/items/{number}")
    async def item(number: int, size: int = 1) -> list[int]:
        return [number] * size

    @routes.get("/plain/{number}")
    async def unvalidated(number: int, size: int = 1):
        return [number] * size

    @routes.get("/sync/{number}")
    def in_thread(number: int) -> int:
        return number

    @routes.get("/response")
    async def response(
        vary: str = "", origin: str = "", size: int = 1, encoding: str = "", kind: str = "text/plain", status: int = 200
    ) -> Any:
        fields = {"Vary": vary, "Access-Control-Allow-Origin": origin, "X-Field": "kept", "Content-Encoding": encoding}
        content = gzip.compress(b"x" * size) if encoding == "gzip" else b"x" * size
        kept = {name: value for name, value in fields.items() if value}
        made = responses.Response(content, status, media_type=kind, headers=kept)
        if vary:
            made.headers.append("vary", "X-Other")
        return made

    @routes.get("/stream")
    async def stream() -> Any:
        return responses.StreamingResponse(iter(["a" * 400, "b" * 400]))

    @routes.get("/unchanged", status_code=304)
    async def unchanged() -> None:
        return None

    @routes.get("/nothing", status_code=204)
    async def nothing() -> None:
        return None

    @routes.head("/head")
    async def head() -> Any:
        return responses.PlainTextResponse("x" * 600)

    @routes.get("/fails")
    async def fails() -> None:
        raise fastapi.HTTPException(409, "conflict")

    @routes.get("/breaks")
    async def breaks() -> None:
        raise ValueError("broken")

    @routes.post("/items")
    async def create(body: dict[str, str]) -> dict[str, str]:
        return body

    @routes.get("/own", response_class=responses.PlainTextResponse)
    async def text(size: int = 1) -> str:
        return "t" * size

    @routes.get("/around")
    async def around() -> list[str]:
        frame, files = sys._getframe(), []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        return sorted({name.rpartition("/")[2] for name in files if "/middleware/" in name})

    return routes


#: The usual three, hosts outermost.
app = fastapi.FastAPI()
app.include_router(router())
if hasattr(app, "native"):
    app.native("/native", "here")
declare(app, "gzip", "GZipMiddleware", minimum_size=500)
declare(
    app,
    "cors",
    "CORSMiddleware",
    allow_origins=["https://a.org"],
    allow_origin_regex=r"https://.*\.b\.org",
    allow_credentials=True,
    allow_headers=["X-One"],
    allow_methods=["GET", "PUT"],
    expose_headers=["X-Two"],
)
declare(app, "trustedhost", "TrustedHostMiddleware", allowed_hosts=["127.0.0.1", "*.c.org", "www.d.org"])

#: CORS for all inside of a compression of nearly all, and a bound of bodies around them.
open_to_all = fastapi.FastAPI()
open_to_all.include_router(router())
declare(
    open_to_all,
    "cors",
    "CORSMiddleware",
    allow_origins=["*"],
    allow_methods=["*"],
    allow_headers=["*"],
    allow_private_network=True,
)
declare(open_to_all, "gzip", "GZipMiddleware", minimum_size=1, compresslevel=1, exclude_content_types=("text/html",))
declare(open_to_all, "body_limit", "RequestBodyLimitMiddleware", max_body_size=1000)

#: CORS for all, by name, twice; outermost what wants TLS.
secure = fastapi.FastAPI()
secure.include_router(router())
declare(secure, "cors", "CORSMiddleware", allow_origins=["*"], allow_credentials=True, max_age=5)
declare(secure, "httpsredirect", "HTTPSRedirectMiddleware")
declare(secure, "cors", "CORSMiddleware", allow_origins=["https://a.org"], expose_headers=["X-One"])

#: Ours alone: the encoding that the client likes best.
best = fastapi.FastAPI()
best.include_router(router())
if NAME == "data_bridge.fastapi":
    declare(best, "compression", "CompressionMiddleware", minimum_size=20)
