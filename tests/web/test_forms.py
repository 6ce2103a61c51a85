"""Forms: what Starlette with python-multipart reads, ours reads, in whatever pieces; what it refuses, ours refuses."""

from __future__ import annotations

import asyncio
import io
import random
from urllib.parse import quote_plus

import pytest

from tests.web.twins import OURS, THEIRS, http, outcome, receiving, same

TYPE = b"multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'
FILE = b'; filename="x.txt"'


def part(name=b"a", disposition=b"", headers=b"", content=b"1"):
    return PART % (name, disposition, headers, content)


async def read(web, content_type, *pieces, **limits):
    """The form's items, files with all that is known of them."""
    headers = [] if content_type is None else [(b"content-type", content_type)]
    request = web.requests.Request(http(*headers), receiving(*pieces))
    async with request.form(**limits) as form:
        return [
            (
                name,
                value
                if isinstance(value, str)
                else (value.filename, value.size, value.headers.raw, await value.read()),
            )
            for name, value in form.multi_items()
        ]


def in_pieces(body, chooser):
    """The body cut at random."""
    cuts = sorted(chooser.randrange(len(body) + 1) for _ in range(chooser.randrange(6)))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


def check(content_type, body, seed=0, **limits):
    whole = outcome(lambda web: read(web, content_type, body, **limits), THEIRS)
    chooser = random.Random(seed)
    for pieces in ([body], in_pieces(body, chooser), in_pieces(body, chooser)):
        assert outcome(lambda web, pieces=pieces: read(web, content_type, *pieces, **limits), OURS) == whole
    return whole


MULTIPART = [
    b"",
    b"--b--",
    b"--b--\r\n",
    b"--b\r\n",
    part() + b"--b--",
    part() + part(b"f", FILE, b"Content-Type: text/plain\r\nX: y\r\n", b"content") + b"--b--\r\nepilogue",
    part(b"f", b"; filename=", content=b"") + b"--b--",
    part(b"f", b"; filename*=utf-8''x; filename=y") + b"--b--",
    part(b"f", b'; FileName="C:\\dir\\x.txt"') + b"--b--",
    part(b"f", b'; filename="a\\"b;c.txt"; x="y"') + b"--b--",
    part("ä".encode(), content="ö".encode()) + b"--b--",
    part(b"\xe4", content=b"\xff") + b"--b--",
    part() + part() + b"--b--",
    part(content=b"x" * 100) + b"--b--",
    b"\r\n\r\n" + part() + b"--b--",
    b"preamble\r\n" + part() + b"--b--",
    b"\r\npreamble\r\n" + part() + b"--b--",
    part(),
    part() + b"--b",
    part() + b"--b-",
    part() + b"--b \r\n" + part()[5:] + b"--b--",
    part() + b"--bx\r\n" + part() + b"--b--",
    b"--b\r\n\r\nno header\r\n--b--",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--b--",
    b"--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--",
    b"--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=c\r\n\r\nx\r\n--b--",
    b"--b\r\nBad Header: x\r\n\r\nx\r\n--b--",
    b"--b\r\nContent-Disposition form-data\r\n\r\nx\r\n--b--",
    b"--b\r\nContent-Disposition: form-data; name=a\n\nx\r\n--b--",
    b"--b\nContent-Disposition: form-data; name=a\n\nx\n--b--",
    b"--b\r\n" + b"X: y\r\n" * 9 + b"\r\nx\r\n--b--",
    b"--b\r\nX: " + b"y" * 4300 + b"\r\n\r\nx\r\n--b--",
    part(b"f", FILE, content=b"\r\n--\r\n--c\r\n-\r\r\n--b\r--b-\r\n--") + b"--b--",
]


@pytest.mark.parametrize("body", MULTIPART)
def test_multipart(body):
    for seed in range(20):
        check(TYPE, body, seed)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=b; charset=latin-1",
        b"multipart/form-data; boundary=b; charset=nothing",
        b"multipart/form-data; boundary=b; charset=rot13",
        b'Multipart/Form-Data ; Boundary="b"',
        b"multipart/form-data; boundary=" + b"b" * 257,
        b"multipart/mixed; boundary=b",
        b"application/json",
        b"application/x-www-form-urlencoded; charset=latin-1",
    ],
)
def test_types(content_type):
    check(content_type, part("ä".encode(), content="ö".encode()) + b"--b--")


@pytest.mark.parametrize(
    "field",
    [
        "",
        ";",
        "a",
        "a;b",
        "a; b=c",
        'a; b="c;d"; e=f',
        'a; b="c',
        'a; b="\\\\"; c',
        "a; b*=c",
        "A=B; C=D",
        'a; b=";"";";c=d',
    ],
)
def test_fields_with_options(field):
    from python_multipart.multipart import parse_options_header

    assert OURS._native.parse_options(field.encode()) == parse_options_header(field)


URLENCODED = [
    b"",
    b"a=1",
    b"a=1&b=2&a=3",
    b"a",
    b"a&b=&=c&=",
    b"&&a=1&&b=2&&",
    b"a=b=c",
    b"a=%C3%A4+%2B&%20=x",
    b"a=%ff&b=\xff&c=\xc3\xa4&%",
    b"a=%zz&b=%1",
    b"a;b=c",
]


@pytest.mark.parametrize("body", URLENCODED)
def test_urlencoded(body):
    for seed in range(10):
        check(b"application/x-www-form-urlencoded", body, seed)


@pytest.mark.parametrize(
    "limits", [{"max_fields": 1}, {"max_files": 0}, {"max_part_size": 1500}, {"max_fields": float("inf")}]
)
def test_limits(limits):
    file = part(b"f", FILE, content=b"x" * 2000)
    for body in (part() + part(), file, part(content=b"x" * 1500), part(content=b"x" * 1501), file + part()):
        check(TYPE, body + b"--b--", **limits)
    for body in (b"a=1&b=2", b"a=" + b"x" * 1499, b"a=" + b"x" * 1500):
        check(b"application/x-www-form-urlencoded", body, **limits)


def test_what_an_app_answers():
    async def ask(web):
        scope = http((b"content-type", b"multipart/form-data"), app="app")
        return await web.requests.Request(scope, receiving(b"")).form()

    assert same(ask) == ("HTTPException", "400: Missing boundary in multipart.")


def random_text(chooser, pool, most):
    return b"".join(chooser.choice(pool) for _ in range(chooser.randrange(most)))


def random_form(chooser):
    """A form that is valid, or nearly so."""
    odd = [b"\r", b"\n", b"\r\n", b"-", b"--", b"b", b"\r\n--b", b"x", b" ", b"\xff", b'"', b";", b":"]
    body = b""
    for _ in range(chooser.randrange(4)):
        disposition = chooser.choice([b"", FILE, b"; filename=" + random_text(chooser, odd[4:], 4)])
        name = chooser.choice([b"a", b"b c", "ä".encode(), b""])
        headers = chooser.choice([b"", b"Content-Type: text/x\r\n", b"x: y\r\n", b"x:\r\n", b"x:  y z\r\n"])
        body += part(name, disposition, headers, random_text(chooser, odd, 12))
    body += chooser.choice([b"--b--", b"--b--\r\n", b"", b"--b--x"])
    for _ in range(chooser.choice([0, 0, 0, 1, 2])):
        place = chooser.randrange(len(body) + 1)
        body = body[:place] + chooser.choice([*odd, b""]) + body[place + chooser.randrange(3) :]
    return body


@pytest.mark.parametrize("block", range(10))
def test_random_forms(block):
    refused = 0
    for seed in range(block * 150, block * 150 + 150):
        result = check(TYPE, random_form(random.Random(seed)), seed, max_fields=3)
        refused += isinstance(result, tuple)
    assert 5 < refused < 145, "both good and bad forms are tried"


def test_random_urlencoded_forms():
    chooser = random.Random(1)
    pool = [b"a", b"=", b"&", b"%41", b"+", b"%C3", b"\xe4", b"%", b"long name", quote_plus("ü").encode()]
    for seed in range(300):
        check(
            b"application/x-www-form-urlencoded", random_text(chooser, pool, 12), seed, max_fields=5, max_part_size=20
        )


@pytest.mark.parametrize("size", [0, 1024 * 1024, 1024 * 1024 + 1, 5_000_000])
def test_large_files_are_on_disk(size, tmp_path):
    content = random.Random(size).randbytes(size)
    body = part(b"f", FILE, content=content) + b"--b--"
    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)]

    async def receive(web):
        request = web.requests.Request(http((b"content-type", TYPE)), receiving(*pieces))
        form = await request.form()
        file = form["f"]
        seen = [
            file.size,
            file._in_memory,
            file.filename,
            file.content_type,
            await file.read(10),
            await file.read() == content[10:],
        ]
        await file.seek(3)
        seen.append(await file.read(4))
        await file.write(b"more")
        await file.seek(0)
        seen += [file.size, len(await file.read()), repr(file)]
        if web is OURS:
            await file.seek(5)
            await file.save(tmp_path / "saved")
            assert file.file.tell() == 5
            await file.seek(0)
            assert (tmp_path / "saved").read_bytes() == await file.read()
        await request.close()
        return [*seen, file.file.closed]

    same(receive)


def test_a_refused_form_leaves_no_file_open(monkeypatch):
    from data_bridge.forms import parse

    files = []
    real = parse.SpooledTemporaryFile

    def make(**options):
        files.append(real(**options))
        return files[-1]

    monkeypatch.setattr(parse, "SpooledTemporaryFile", make)
    start = part(b"f", FILE) + part(b"g", FILE, content=b"half")[:-6]
    assert outcome(lambda web: read(web, TYPE, start + b"\r\n--b \r", b"x"), OURS)[0] == "MultiPartException"
    left = [{"type": "http.request", "body": start, "more_body": True}]
    assert outcome(lambda web: read(web, TYPE, *left), OURS)[0] == "ClientDisconnect"
    assert outcome(lambda web: read(web, TYPE, start), OURS) == [
        ("f", ("x.txt", 1, [(b"content-disposition", b'form-data; name="f"; filename="x.txt"')], b"1"))
    ]
    assert len(files) == 6
    assert all(file.closed for file in files)


def test_files_as_pydantic_sees_them():
    import fastapi
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(OURS.datastructures.UploadFile)
    assert adapter.json_schema() == TypeAdapter(fastapi.UploadFile).json_schema()
    for file in (
        OURS.datastructures.UploadFile(None),
        THEIRS.datastructures.UploadFile(None),
        fastapi.UploadFile(None),
    ):
        assert adapter.validate_python(file) is file
    with pytest.raises(ValidationError, match="Expected UploadFile, received: <class 'int'>"):
        adapter.validate_python(1)


def test_form_data():
    async def use(web):
        kind = web.datastructures
        file = kind.UploadFile(None)
        form = kind.FormData([("a", "1"), ("a", "2")], b="3")
        upload = kind.UploadFile(io.BytesIO(b"x"), filename="n", headers=kind.Headers({"content-type": "t/x"}))
        await kind.FormData({"f": upload}).close()
        return (
            repr(form),
            form.getlist("a"),
            form["b"],
            repr(file),
            file.content_type,
            upload.content_type,
            upload.file.closed,
        )

    same(use)


def test_a_form_is_read_once():
    async def ask(web):
        request = web.requests.Request(http((b"content-type", TYPE)), receiving(part() + b"--b--"))
        first = await request.form()
        return (await request.form()) is first

    assert same(ask) is True
    assert asyncio.run(ask(OURS)) is True
