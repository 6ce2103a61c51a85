"""Tests of the service: what its users would do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data_bridge.testclient import TestClient

from . import main


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Give a client of a service with an empty database."""
    monkeypatch.setattr(main, "FOLDER", tmp_path)
    with TestClient(main.app) as client:
        yield client


@pytest.fixture
def ada(client: TestClient) -> dict[str, str]:
    """Give the headers of a user who is logged in."""
    return login(client, "ada")


def login(client: TestClient, name: str) -> dict[str, str]:
    account = {"name": name, "password": f"password-of-{name}"}
    assert client.post("/accounts", json=account).status_code == 201
    answer = client.post("/token", data={"username": name, "password": account["password"]})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_a_note_is_written_found_read_and_deleted(client: TestClient, ada: dict[str, str]) -> None:
    written = client.post("/notes", json={"title": "Engine", "text": "cogs"}, headers=ada).json()
    assert client.get("/notes?word=cog", headers=ada).json() == [written]
    assert client.get(f"/notes/{written['id']}", headers=ada).json() == written
    assert client.delete(f"/notes/{written['id']}", headers=ada).status_code == 204
    assert client.get("/notes", headers=ada).json() == []


def test_notes_are_their_owners(client: TestClient, ada: dict[str, str]) -> None:
    written = client.post("/notes", json={"title": "Engine"}, headers=ada).json()
    other = login(client, "bob")
    assert client.get(f"/notes/{written['id']}", headers=other).status_code == 404
    assert client.get("/notes", headers={"Authorization": "Bearer forged.token"}).status_code == 401
    assert client.get("/notes").status_code == 401


def test_a_name_is_given_once_and_a_password_is_long(client: TestClient, ada: dict[str, str]) -> None:
    assert client.post("/accounts", json={"name": "ada", "password": "another-one"}).status_code == 409
    assert client.post("/accounts", json={"name": "eve", "password": "short"}).status_code == 422
    assert client.post("/token", data={"username": "ada", "password": "wrong"}).status_code == 400


def test_a_file_is_attached(client: TestClient, ada: dict[str, str]) -> None:
    note = client.post("/notes", json={"title": "Engine"}, headers=ada).json()
    path = f"/notes/{note['id']}/file"
    assert client.get(path, headers=ada).status_code == 404
    assert client.put(path, files={"file": ("plan.txt", b"cogs")}, headers=ada).json()["file"] == "plan.txt"
    answer = client.get(path, headers=ada)
    assert answer.content == b"cogs"
    assert 'filename="plan.txt"' in answer.headers["content-disposition"]


def test_who_listens_hears_of_new_notes(client: TestClient, ada: dict[str, str]) -> None:
    with client.websocket_connect("/live") as socket:
        assert socket.receive_text() == "listening"
        client.post("/notes", json={"title": "Engine"}, headers=ada)
        assert socket.receive_text() == "ada: Engine"
