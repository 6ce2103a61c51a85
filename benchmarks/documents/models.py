"""The record as a Pydantic model."""

from pydantic import BaseModel


class Model(BaseModel):
    """Eight fields, as a row of a database gives them."""

    id: int
    name: str
    email: str
    active: bool
    balance: float
    age: int
    city: str
    note: str | None
