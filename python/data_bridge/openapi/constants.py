"""Where schemas stand in a document, and which methods may carry a body."""

METHODS_WITH_BODY = {"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}
REF_PREFIX = "#/components/schemas/"
REF_TEMPLATE = REF_PREFIX + "{model}"
