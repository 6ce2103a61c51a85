"""The documents: made by our own code from one seed. Knows no library.

Each is shaped like something that people send: the twitter-, citm- and canada-like ones have the mix of the files that
JSON benchmarks are usually shown on, without their content.
"""

import json
import random
import string
from collections.abc import Callable
from typing import Any

SEED = 5
_CJK = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同"
_LETTERS = string.ascii_letters + string.digits + "     "


def hello(_: random.Random) -> Any:
    """The smallest answer."""
    return {"message": "Hello, World!"}


def record(source: random.Random, number: int = 1) -> dict[str, Any]:
    """Eight fields, as a row of a database gives them."""
    return {
        "id": number,
        "name": f"{_word(source).title()} {_word(source).title()}",
        "email": f"{_word(source)}@example.com",
        "active": source.random() < 0.5,
        "balance": round(source.uniform(-1000, 100_000), 2),
        "age": source.randrange(18, 99),
        "city": _word(source).title(),
        "note": None if source.random() < 0.5 else _text(source, 24),
    }


def records(count: int) -> Callable[[random.Random], Any]:
    """A list of them."""
    return lambda source: [record(source, number) for number in range(count)]


def twitter(source: random.Random) -> Any:
    """Statuses: deep objects, nulls, small integers and long ids, text of which a third is CJK, some escapes."""

    def user() -> dict[str, Any]:
        number = source.randrange(10**8, 10**10)
        return {
            "id": number,
            "id_str": str(number),
            "name": _cjk(source, 6),
            "screen_name": _word(source),
            "location": _cjk(source, 4) if source.random() < 0.4 else "",
            "description": f"{_cjk(source, 40)}\n{_word(source)}" if source.random() < 0.6 else _text(source, 80),
            "url": f"http://t.co/{_word(source)}" if source.random() < 0.3 else None,
            "entities": {"description": {"urls": []}},
            "protected": False,
            "followers_count": source.randrange(5000),
            "friends_count": source.randrange(5000),
            "created_at": "Sun Aug 31 00:29:15 +0000 2014",
            "utc_offset": source.choice([None, 32400]),
            "time_zone": source.choice([None, "Tokyo"]),
            "geo_enabled": source.random() < 0.3,
            "verified": False,
            "lang": "ja",
            "profile_background_color": "C0DEED",
            "profile_image_url": f"http://pbs.twimg.com/profile_images/{number}/{_word(source)}_normal.jpeg",
            "default_profile": True,
            "following": False,
        }

    def status(depth: int = 0) -> dict[str, Any]:
        number = source.randrange(10**17, 10**18)
        found = {
            "metadata": {"result_type": "recent", "iso_language_code": "ja"},
            "created_at": "Sun Aug 31 00:29:15 +0000 2014",
            "id": number,
            "id_str": str(number),
            "text": f'@{_word(source)} {_cjk(source, source.randrange(20, 90))}\n"{_word(source)}"',
            "source": '<a href="http://twitter.com/download/iphone" rel="nofollow">Twitter for iPhone</a>',
            "truncated": False,
            "in_reply_to_status_id": None,
            "user": user(),
            "geo": None,
            "coordinates": None,
            "place": None,
            "retweet_count": source.randrange(100),
            "favorite_count": source.randrange(100),
            "entities": {
                "hashtags": [{"text": _cjk(source, 5), "indices": [3, 15]}] if source.random() < 0.2 else [],
                "symbols": [],
                "urls": [],
                "user_mentions": [{"screen_name": _word(source), "id": number // 7, "indices": [0, 12]}],
            },
            "favorited": False,
            "retweeted": False,
            "lang": "ja",
        }
        if depth == 0 and source.random() < 0.5:
            found["retweeted_status"] = status(1)
        return found

    return {"statuses": [status() for _ in range(160)], "search_metadata": {"completed_in": 0.087, "count": 100}}


def citm(source: random.Random) -> Any:
    """A catalogue: objects keyed by numbers, short keys that repeat, integers, nulls and empty lists."""
    events = [str(number) for number in source.sample(range(138_586_341, 339_420_805), 184)]
    performances = [
        {
            "eventId": int(source.choice(events)),
            "id": source.randrange(10**8, 10**9),
            "logo": None,
            "name": None,
            "prices": [
                {
                    "amount": source.randrange(10_000, 200_000),
                    "audienceSubCategoryId": 337_100_890,
                    "seatCategoryId": number,
                }
                for number in source.sample(range(338_937_235, 338_937_300), 4)
            ],
            "seatCategories": [
                {
                    "areas": [{"areaId": area, "blockIds": []} for area in range(205_705_993, 205_706_006)],
                    "seatCategoryId": number,
                }
                for number in source.sample(range(338_937_235, 338_937_300), 4)
            ],
            "seatMapImage": None,
            "start": 1_372_701_600_000 + source.randrange(10**8),
            "venueCode": "PLEYEL_PLEYEL",
        }
        for _ in range(180)
    ]
    return {
        "areaNames": {str(205_705_993 + number): _text(source, 18) for number in range(17)},
        "events": {
            number: {
                "description": None,
                "id": int(number),
                "logo": f"/images/{_word(source)}.png" if source.random() < 0.3 else None,
                "name": _text(source, 30) + " é",
                "subTopicIds": source.sample(range(337_184_262, 337_184_300), 4),
                "subjectCode": None,
                "subtitle": None,
                "topicIds": [324_846_099, 107_888_604],
            }
            for number in events
        },
        "performances": performances,
        "topicSubTopics": {
            str(number): source.sample(range(337_184_262, 337_184_300), 8) for number in range(107_888_604, 107_888_624)
        },
    }


def canada(source: random.Random) -> Any:
    """Coastlines: pairs of floats of 15 to 17 digits."""
    rings = [
        [[source.uniform(-141, -52), source.uniform(41, 83)] for _ in range(source.randrange(40, 400))]
        for _ in range(120)
    ]
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": "Canada"}, "geometry": {"type": "Polygon", "coordinates": rings}}
        ],
    }


def integers(source: random.Random) -> Any:
    """A hundred thousand of all lengths."""
    return [source.randrange(-(10 ** source.randrange(1, 18)), 10 ** source.randrange(1, 18)) for _ in range(100_000)]


def small_integers(source: random.Random) -> Any:
    """A hundred thousand below a thousand."""
    return [source.randrange(1000) for _ in range(100_000)]


def short_strings(source: random.Random) -> Any:
    """Twenty thousand of 40 bytes."""
    return ["".join(source.choices(_LETTERS, k=40)) for _ in range(20_000)]


def long_ascii(source: random.Random) -> Any:
    """Twenty of 50 kB."""
    return [_text(source, 50_000) for _ in range(20)]


def cjk(source: random.Random) -> Any:
    """A megabyte of Chinese-like text in paragraphs."""
    return [_cjk(source, 600) for _ in range(600)]


def escaped(source: random.Random) -> Any:
    """Program text inside JSON: a quotation mark, a backslash or a new line at every ninth character."""
    return [
        "".join(f"{_text(source, 8)}{source.choice(chr(34) + chr(92) + chr(10) + chr(9))}" for _ in range(120))
        for _ in range(500)
    ]


#: Document by name: its title in tables, and what makes its value.
DOCUMENTS: dict[str, tuple[str, Callable[[random.Random], Any]]] = {
    "hello": ('{"message":"Hello, World!"}', hello),
    "record": ("one record of 8 fields", record),
    "records-100": ("100 records", records(100)),
    "records-1mb": ("1 MB of records", records(7_000)),
    "twitter": ("twitter-like", twitter),
    "citm": ("citm-like", citm),
    "canada": ("canada-like (floats)", canada),
    "ints": ("integers", integers),
    "small-ints": ("small integers", small_integers),
    "strings-40": ("strings of 40 bytes", short_strings),
    "long-ascii": ("long ASCII", long_ascii),
    "cjk": ("CJK", cjk),
    "escaped": ("escaped text", escaped),
}


#: Lists of Pydantic models by name: the title, and the document that they hold.
MODELS: dict[str, tuple[str, str]] = {
    "models-100": ("100 models", "records-100"),
    "models-1mb": ("1 MB of models", "records-1mb"),
}


def value(name: str) -> Any:
    """The document as objects, the same ones in every run."""
    if name in MODELS:
        from benchmarks.documents.models import Model  # noqa: PLC0415 - Pydantic is only where it is measured

        return [Model(**fields) for fields in value(MODELS[name][1])]
    return DOCUMENTS[name][1](random.Random(f"{SEED}:{name}"))


def text(name: str) -> bytes:
    """The document as it would arrive: compact UTF-8."""
    name = MODELS[name][1] if name in MODELS else name
    return json.dumps(value(name), ensure_ascii=False, separators=(",", ":")).encode()


def _word(source: random.Random) -> str:
    return "".join(source.choices(string.ascii_lowercase, k=source.randrange(4, 11)))


def _text(source: random.Random, length: int) -> str:
    return "".join(source.choices(_LETTERS, k=length))


def _cjk(source: random.Random, length: int) -> str:
    return "".join(source.choices(_CJK, k=length))
