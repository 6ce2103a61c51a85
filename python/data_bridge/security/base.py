"""What every security scheme is: a description for the OpenAPI document, a name there, and how it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_bridge.exceptions import HTTPException

if TYPE_CHECKING:
    from data_bridge.openapi.schemes import SecurityBase as SecurityBaseModel


class SecurityBase:
    """A dependency that gives a credential. Without one it raises 401, or gives None where ``auto_error`` is False."""

    model: SecurityBaseModel
    scheme_name: str
    auto_error: bool

    def _describe(self, model: SecurityBaseModel, scheme_name: str | None, *, auto_error: bool) -> None:
        self.model = model
        self.scheme_name = scheme_name or type(self).__name__
        self.auto_error = auto_error

    def make_authenticate_headers(self) -> dict[str, str]:
        """Give the challenge that a 401 must carry (RFC 9110, 15.5.2)."""
        return {"WWW-Authenticate": "Bearer"}

    def make_not_authenticated_error(self) -> HTTPException:
        """Make what is raised where the credential is missing or unreadable."""
        return HTTPException(401, "Not authenticated", self.make_authenticate_headers())

    def _refuse(self) -> None:
        if self.auto_error:
            raise self.make_not_authenticated_error()
