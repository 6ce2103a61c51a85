"""A field with options, `value; name=value; name="quoted"`: media types and `Content-Disposition` (RFC 7578)."""

from __future__ import annotations

#: How a path of Windows begins, which old browsers sent for a file's name.
_PATH_STARTS = (":\\", "\\\\")


def parse_options_header(value: str | bytes | None) -> tuple[bytes, dict[bytes, bytes]]:
    """Give the value in lower case and its options. Forms have none of RFC 5987 (``name*=``)."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value or ""
    first, *rest = _split(text)
    options: dict[bytes, bytes] = {}
    for part in rest:
        name, _, written = part.partition("=")
        if "*" in name:
            continue
        name = name.strip().lower()
        options[name.encode("latin-1")] = _unquoted(name, written.strip()).encode("latin-1")
    return first.strip(" \t").lower().encode("latin-1"), options


def _split(text: str) -> list[str]:
    """Take apart at semicolons outside of quotation marks."""
    parts, start, quoted, escaped = [], 0, False, False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = quoted
        elif letter == '"':
            quoted = not quoted
        elif letter == ";" and not quoted:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _unquoted(name: str, value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace("\\\\", "\\").replace('\\"', '"')
    if name == "filename" and (value[1:3] == _PATH_STARTS[0] or value[:2] == _PATH_STARTS[1]):
        return value.rpartition("\\")[2]
    return value
