"""The guide's hot route, three times: FastAPI's, ours in Python, and the example's handler in Rust."""

from __future__ import annotations

import bisect
from typing import Any

ROWS = sorted(
    ({"id": number, "price": number * 7919 % 1_000_000} for number in range(1_000_000)), key=lambda row: row["price"]
)
PRICES = [row["price"] for row in ROWS]


def made(package: Any) -> Any:
    """An app of ours or FastAPI's."""
    app = (package.App if hasattr(package, "App") else package.FastAPI)()

    @app.get("/rows/{price}")
    async def rows(price: int, limit: int = 10) -> dict[str, Any]:
        first = bisect.bisect_left(PRICES, price)
        if first == len(PRICES):
            raise package.HTTPException(404, "no row costs that much")
        return {"rows": ROWS[first : first + limit], "more": max(0, len(ROWS) - first - limit)}

    return app


def fastapi() -> Any:
    """Of FastAPI's."""
    import fastapi

    return made(fastapi)


def ours() -> Any:
    """Of ours, in Python."""
    import data_bridge

    return made(data_bridge)


def native() -> Any:
    """Of ours, in Rust."""
    import load
    import native_wheel

    import data_bridge

    load.begin()
    app = data_bridge.App()
    app.native("/rows/{price}", native_wheel.range)
    return app
