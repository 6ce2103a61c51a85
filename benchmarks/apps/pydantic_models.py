"""The scenarios' data as Pydantic models, for the frameworks that take those."""

from pydantic import BaseModel, TypeAdapter
from records import RECORDS


class Maker(BaseModel):
    name: str
    country: str


class Item(BaseModel):
    name: str
    price: float
    in_stock: bool
    tags: list[str]
    maker: Maker


class Address(BaseModel):
    street: str
    city: str
    postcode: str


class Record(BaseModel):
    id: int
    name: str
    email: str
    balance: float
    active: bool
    tags: list[str]
    address: Address


record_list = TypeAdapter(list[Record])
records = record_list.validate_python(RECORDS)
