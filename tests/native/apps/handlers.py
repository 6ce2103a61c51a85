"""An app whose routes are the handlers of two modules in Rust."""

from typing import Annotated

import native_cases as cases
import native_wheel
from pydantic import BaseModel

from data_bridge import App, Header

app = App()
app.native("/rows/{price}", native_wheel.range)
app.native("/cities/{name}", native_wheel.city)
app.native("/all/{id}", cases.all)
app.native("/pair/{first}/{second}", cases.pair)
app.native("/named/{second}/{first}", cases.named)
app.native("/made", cases.made_response)
app.native("/nothing", cases.nothing, methods=["DELETE"])
for name in ("doubled", "echoed", "length"):
    app.native(f"/{name}", getattr(cases, name), methods=["POST"])
for name in (
    "numbers",
    "broken_off",
    "large",
    "panics",
    "panics_later",
    "panics_there",
    "odd",
    "count",
    "lives",
    "endless",
    "asker",
    "lenient",
):
    app.native(f"/{name}", getattr(cases, name))
for name in ("never", "never_there"):
    app.native(f"/{name}", getattr(cases, name))
    app.native(f"/{name}/limited", getattr(cases, name), timeout=0.2)
app.native("/target", cases.target, methods=["GET", "POST"])
app.native("/site", cases.site)
app.native("/below/{id:int}", cases.all, include_in_schema=False)


class Amount(BaseModel):
    amount: int


@app.get("/python/all/{id}")
async def python_all(id: int, user_agent: Annotated[str, Header()], limit: int | None = None) -> None:  # noqa: A002
    """As `all` in Rust, in what does not fit."""


@app.post("/python/doubled")
async def python_doubled(amount: Amount) -> None:
    """As `doubled` in Rust, in what does not fit."""


@app.get("/python")
async def python() -> str:
    return "python"
