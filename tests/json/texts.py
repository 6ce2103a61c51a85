"""Documents for differential tests: one value in many spellings, and damaged ones. Knows no library."""

import json
import math
import random

#: What damage is done with: everything that has a meaning in JSON, and what should have none.
PIECES = [
    *(bytes([byte]) for byte in b'[]{}:,"\\/-+.0123456789eEtfnu \t\r\n\x00\x0b\x1f\x7f\x80\xa0\xc0\xf5\xff'),
    *b"true false null NaN Infinity -Infinity 1e400 -0 1E-400 99999999999999999999 0.10.10.10.10.10.10.1".split(),
    *rb"\u0000 \ud800 \udc00 \ud83d\ude00 \" \x \u12".split(),
    *(b"\xef\xbb\xbf", b"\xed\xa0\x80", "é".encode(), "漢".encode(), "😀".encode()),
    *b'"a": {"a":1} [[]] // /**/ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"'.split(),
]


def spelt(value: object, source: random.Random) -> str:
    """The value as JSON, in one of its many spellings."""
    style = source.choice((Style(source, 0.0), Style(source, 0.05), Style(source, 0.5)))
    return style.any(value)


def damaged(text: bytes, source: random.Random) -> bytes:
    """The document with a few bytes replaced, inserted, taken out, doubled or cut off."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        begin = source.randrange(len(text) + 1)
        end = min(len(text), begin + source.choice((0, 1, 1, 2, 7)))
        before, after, piece = text[:begin], text[end:], source.choice(PIECES)
        text = source.choice(
            (before + piece + after, before + piece + text[begin:], before + after, text[:end] + text[begin:], before)
        )
    return text


class Style:
    """How freely a document is written: with which chance each liberty is taken."""

    def __init__(self, source: random.Random, chance: float) -> None:
        self.source = source
        self.chance = chance

    def takes(self) -> bool:
        return self.source.random() < self.chance

    def space(self) -> str:
        return "".join(self.source.choices(" \t\r\n", k=self.source.randrange(1, 5))) if self.takes() else ""

    def any(self, value: object) -> str:
        return f"{self.space()}{self.bare(value)}{self.space()}"

    def bare(self, value: object) -> str:
        match value:
            case None | True | False:
                return {None: "null", True: "true", False: "false"}[value]
            case str():
                return self.text(value)
            case int():
                return "-0" if value == 0 and self.takes() else str(value)
            case float():
                return self.number(value)
            case dict():
                return "{" + ",".join(self.members(value)) + "}"
            case list() | tuple():
                return "[" + ",".join(map(self.any, value)) + "]"
        raise TypeError(type(value))

    def members(self, value: dict[str, object]) -> list[str]:
        members = list(value.items())
        if members and self.takes():
            members.append((self.source.choice(members)[0], self.source.choice(members)[1]))
        return [f"{self.space()}{self.text(key)}{self.space()}:{self.any(member)}" for key, member in members]

    def number(self, value: float) -> str:
        text = repr(value)
        if self.takes():
            # Fewer digits may be more than the largest float.
            fewer = f"{value:.{self.source.randrange(30)}e}"
            text = text if math.isinf(float(fewer)) else fewer
        return text.replace("e", "E") if self.takes() else text

    def text(self, value: str) -> str:
        if not self.chance:
            return json.dumps(value, ensure_ascii=False)
        return '"' + "".join(map(self.character, value)) + '"'

    def character(self, found: str) -> str:
        short = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        needed = found < " " or found in '"\\'
        if not needed and not self.takes():
            return found
        if found in short and not self.takes():
            return short[found]
        units = found.encode("utf-16-be", "surrogatepass")
        escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
        return escaped.upper().replace("\\U", "\\u") if self.takes() else escaped
