"""Piccolo's admin over its own example's tables, with REST endpoints beside it, as its documents say: on SQLite."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from fastapi.routing import Mount
from piccolo.engine.sqlite import SQLiteEngine
from piccolo_admin.endpoints import TableConfig, create_admin
from piccolo_admin.example import tables
from piccolo_admin.example.tables import Director, Movie, Sessions, Studio, Ticket, User
from piccolo_api.crud.endpoints import PiccoloCRUD
from piccolo_api.fastapi.endpoints import FastAPIKwargs, FastAPIWrapper

engine = SQLiteEngine(path=os.environ["CINEMA"])
for table in tables.TABLE_CLASSES:
    table._meta._db = engine
if not os.path.exists(os.environ["CINEMA"]):  # noqa: PTH110
    tables.create_schema()
    tables.populate_data()

admin = create_admin([TableConfig(Movie), Director, Studio, Ticket], auth_table=User, session_table=Sessions)
app = FastAPI(routes=[Mount("/admin/", admin)])

for table, name in ((Movie, "movies"), (Director, "directors")):
    FastAPIWrapper(
        f"/{name}/",
        fastapi_app=app,
        piccolo_crud=PiccoloCRUD(table, read_only=False, page_size=10),
        fastapi_kwargs=FastAPIKwargs(all_routes={"tags": [name]}),
    )


@app.get("/longest/{count}")
async def longest(count: int) -> list[dict[str, Any]]:
    return await Movie.select(Movie.name, Movie.rating).order_by(Movie.rating, ascending=False).limit(count)
