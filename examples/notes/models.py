"""What clients send and receive."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Account(BaseModel):
    """A new user."""

    name: str = Field(pattern="^[a-z][a-z0-9]{0,30}$")
    password: str = Field(min_length=8)


class Token(BaseModel):
    """OAuth 2's answer to a password."""

    access_token: str
    token_type: str = "bearer"


class NewNote(BaseModel):
    """A note as it is written."""

    title: str = Field(min_length=1, max_length=80)
    text: str = ""


class Note(NewNote):
    """A note as it is read."""

    id: int
    owner: str
    file: str | None = None
