"""The media type that a client takes best: against Django's choice, and as dependency of an endpoint."""

from __future__ import annotations

import random
from typing import Annotated, Any

import pytest
from django.conf import settings
from django.http import HttpRequest

from data_bridge import Accepts, App, Depends, Response
from data_bridge.negotiation import choose
from data_bridge.testclient import TestClient

OFFERS = ["application/json", "text/html", "text/csv", "image/png"]


@pytest.fixture(scope="module", autouse=True)
def _django():
    if not settings.configured:
        settings.configure()


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "application/json"),
        (" ", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/html"),
        ("TEXT/CSV", "text/csv"),
        ("text/html;q=0.5, text/csv", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("text/html;q=0, */*;q=0.1", "application/json"),
        ("application/json;q=0, text/*;q=0.2", "text/html"),
        ("application/xml", None),
        ("*/*;q=0", None),
        ("text/html;q=much, text/csv;q=0.1", "text/csv"),
        ("nonsense, ;;, text/html", "text/html"),
        ("nonsense", None),
    ],
)
def test_the_best_of_four(accepted, chosen):
    assert choose(accepted, OFFERS) == chosen


def test_parameters_of_media_types():
    offers = ["text/html;level=1", "text/html"]
    assert choose("text/html", offers) == "text/html;level=1"
    assert choose('text/html; level="1";q=0.2, text/html;q=0.7', offers) == "text/html"
    assert choose("text/html;level=2", offers) is None


@pytest.mark.parametrize("seed", range(200))
def test_what_is_chosen_django_would_not_rank_lower(seed):
    dice = random.Random(seed)
    ranges = ["*/*", "text/*", "image/*", "text/html", "text/csv", "application/json", "application/xml"]
    accepted = ", ".join(
        f"{item};q={dice.choice(['0.1', '0.5', '0.8', '1'])}" for item in dice.sample(ranges, dice.randint(1, 5))
    )
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accepted
    ours, theirs = choose(accepted, OFFERS), request.get_preferred_type(OFFERS)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        mine, its = request.accepted_type(ours), request.accepted_type(theirs)
        assert (mine.quality, mine.specificity) == (its.quality, its.specificity)


@pytest.fixture(scope="module")
def client():
    app = App()

    @app.get("/planets")
    async def planets(media_type: Annotated[str, Depends(Accepts("application/json", "text/csv"))]) -> Any:
        return Response("Mercury", media_type=media_type) if media_type == "text/csv" else ["Mercury"]

    return TestClient(app)


@pytest.mark.parametrize(
    ("accepted", "status", "media_type", "vary"),
    [
        ("application/json", 200, "application/json", "Accept"),
        ("text/csv", 200, "text/csv; charset=utf-8", None),
        ("image/png", 406, "application/json", "Accept"),
    ],
)
def test_an_endpoint_in_two_formats(client, accepted, status, media_type, vary):
    answer = client.get("/planets", headers={"accept": accepted})
    assert (answer.status_code, answer.headers["content-type"], answer.headers.get("vary")) == (
        status,
        media_type,
        vary,
    )
    if status == 406:
        assert answer.json() == {"detail": "Not acceptable: this resource is application/json, text/csv"}


def test_several_fields_are_one_list(client):
    answer = client.get("/planets", headers=[("accept", "image/png"), ("accept", "text/csv")])
    assert answer.text == "Mercury"


def test_what_is_offered_has_to_be_said():
    with pytest.raises(ValueError, match=r"^Accepts\(\) has to name the media types that the endpoint can make$"):
        Accepts()
    with pytest.raises(ValueError, match="has to name"):
        Accepts("text/*")
    assert Accepts("text/csv") == Accepts("text/csv") != Accepts("text/html")
    assert len({Accepts("text/csv"), Accepts("text/csv")}) == 1
