"""An app whose routes are the handlers of two modules in Rust."""

import native_cases as cases
import native_wheel

from data_bridge import App

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
):
    app.native(f"/{name}", getattr(cases, name))
for name in ("never", "never_there"):
    app.native(f"/{name}", getattr(cases, name))
    app.native(f"/{name}/limited", getattr(cases, name), timeout=0.2)
app.native("/site", cases.site)
app.native("/below/{id:int}", cases.all, include_in_schema=False)


@app.get("/python")
async def python() -> str:
    return "python"
