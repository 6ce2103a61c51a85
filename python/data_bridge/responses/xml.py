"""XML as a response. Knows `xml.etree` only; what it is given as text is sent as it is."""

from __future__ import annotations

from typing import Any

from .base import Response


class XMLResponse(Response):
    """An XML document: text, bytes, or an element or a tree of ``xml.etree.ElementTree``, with a declaration."""

    media_type = "application/xml"

    def render(self, content: Any) -> bytes | memoryview:
        """Write the document."""
        element = content.getroot() if hasattr(content, "getroot") else content
        if not hasattr(element, "iter"):
            return super().render(content)
        from xml.etree.ElementTree import tostring  # noqa: PLC0415 - whoever has an element has imported it

        document: bytes = tostring(element, encoding="utf-8", xml_declaration=True)
        return document
