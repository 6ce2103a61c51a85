"""The scenarios' data as msgspec structs, for the frameworks that take those."""

from msgspec import Struct, convert
from records import RECORDS


class Maker(Struct):
    name: str
    country: str


class Item(Struct):
    name: str
    price: float
    in_stock: bool
    tags: list[str]
    maker: Maker


class Address(Struct):
    street: str
    city: str
    postcode: str


class Record(Struct):
    id: int
    name: str
    email: str
    balance: float
    active: bool
    tags: list[str]
    address: Address


records = convert(RECORDS, list[Record])
