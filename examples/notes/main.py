"""The service: routes and what they depend on."""

import os
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from data_bridge import App, Depends, HTTPException, Query, Request, UploadFile, WebSocket
from data_bridge.requests import HTTPConnection
from data_bridge.responses import FileResponse
from data_bridge.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

from .auth import Tokens, hash_password, is_password
from .database import Database
from .live import Announcements
from .models import Account, NewNote, Note, Token

FOLDER = Path(os.environ.get("NOTES_FOLDER", "notes-data"))


@asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[dict[str, Any]]:
    """Open the database. The key is new at each start: tokens do not outlive the server."""
    database = Database(FOLDER / "notes.db")
    database.create()
    yield {"database": database, "tokens": Tokens(secrets.token_bytes(32)), "announcements": Announcements()}


app = App(title="Notes", lifespan=lifespan)
bearer = OAuth2PasswordBearer(tokenUrl="token")


def transaction(connection: HTTPConnection) -> Any:
    """Give this request's transaction; it ends before the response is sent."""
    yield from connection.state.database.transaction()


Rows = Annotated[sqlite3.Connection, Depends(transaction, scope="function")]


def current_user(request: Request, token: Annotated[str, Depends(bearer)]) -> str:
    """Give the name of who asks."""
    name = request.state.tokens.name(token)
    if name is None:
        raise HTTPException(401, "this token is not valid (any more)", {"WWW-Authenticate": "Bearer"})
    return name


User = Annotated[str, Depends(current_user)]


def own_note(note_id: int, user: User, rows: Rows) -> Note:
    """Give one of the user's own notes."""
    found = rows.execute("SELECT * FROM notes WHERE id = ? AND owner = ?", (note_id, user)).fetchone()
    if found is None:
        raise HTTPException(404, "you have no such note")
    return Note(**found)


OwnNote = Annotated[Note, Depends(own_note)]


@app.post("/accounts", status_code=201, tags=["accounts"])
def create_account(account: Account, rows: Rows) -> None:
    """Make an account."""
    try:
        rows.execute("INSERT INTO users VALUES (?, ?)", (account.name, hash_password(account.password)))
    except sqlite3.IntegrityError:
        raise HTTPException(409, "this name is taken") from None


@app.post("/token", tags=["accounts"])
def login(request: Request, form: Annotated[OAuth2PasswordRequestForm, Depends()], rows: Rows) -> Token:
    """Give a token for a name and a password."""
    found = rows.execute("SELECT password FROM users WHERE name = ?", (form.username,)).fetchone()
    if found is None or not is_password(form.password, found["password"]):
        raise HTTPException(400, "wrong name or password")
    return Token(access_token=request.state.tokens.issue(form.username))


@app.post("/notes", status_code=201, tags=["notes"])
async def write(request: Request, note: NewNote, user: User, rows: Rows) -> Note:
    """Write a note, and tell who listens."""
    done = rows.execute("INSERT INTO notes (owner, title, text) VALUES (?, ?, ?)", (user, note.title, note.text))
    request.state.announcements.say(f"{user}: {note.title}")
    return Note(id=done.lastrowid or 0, owner=user, **note.model_dump())


@app.get("/notes", tags=["notes"])
def find(user: User, rows: Rows, word: Annotated[str, Query(max_length=80)] = "") -> list[Note]:
    """Find the user's notes that have a word in their title or text."""
    query = "SELECT * FROM notes WHERE owner = ? AND instr(title || ' ' || text, ?) ORDER BY id"
    return [Note(**row) for row in rows.execute(query, (user, word))]


@app.get("/notes/{note_id}", tags=["notes"])
def read(note: OwnNote) -> Note:
    """Read a note."""
    return note


@app.delete("/notes/{note_id}", status_code=204, tags=["notes"])
def delete(note: OwnNote, rows: Rows) -> None:
    """Delete a note."""
    rows.execute("DELETE FROM notes WHERE id = ?", (note.id,))


@app.put("/notes/{note_id}/file", tags=["notes"])
async def attach(note: OwnNote, file: UploadFile, rows: Rows) -> Note:
    """Attach a file to a note."""
    await file.save(FOLDER / f"{note.id}.file")
    rows.execute("UPDATE notes SET file = ? WHERE id = ?", (file.filename, note.id))
    return note.model_copy(update={"file": file.filename})


@app.get("/notes/{note_id}/file", tags=["notes"])
def attached(note: OwnNote) -> FileResponse:
    """Give a note's file."""
    if note.file is None:
        raise HTTPException(404, "this note has no file")
    return FileResponse(FOLDER / f"{note.id}.file", filename=note.file)


@app.websocket("/live")
async def live(websocket: WebSocket) -> None:
    """Send the title of each new note."""
    await websocket.accept()
    with websocket.state.announcements.listening() as queue:
        await websocket.send_text("listening")
        while True:
            await websocket.send_text(await queue.get())
