"""Who is there and what they may do: credentials, users, and the decorator that asks for scopes. Knows no scheme."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from .concurrency import is_async_callable
from .exceptions import BaseHTTPException

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .requests import HTTPConnection

Endpoint = TypeVar("Endpoint", bound="Callable[..., Any]")


class AuthenticationError(Exception):
    """Raised by a backend that refuses what the client sent."""


class AuthCredentials:
    """What the client may do."""

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes = list(scopes or ())


class BaseUser:
    """Someone, or no one."""

    @property
    def is_authenticated(self) -> bool:
        """Whether we know who it is."""
        raise NotImplementedError

    @property
    def display_name(self) -> str:
        """A name to be shown."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        raise NotImplementedError


class SimpleUser(BaseUser):
    """Someone with a name."""

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def is_authenticated(self) -> bool:
        """True."""
        return True

    @property
    def display_name(self) -> str:
        """The name."""
        return self.username

    @property
    def identity(self) -> str:
        """The name."""
        return self.username


class UnauthenticatedUser(BaseUser):
    """No one."""

    @property
    def is_authenticated(self) -> bool:
        """False."""
        return False

    @property
    def display_name(self) -> str:
        """Nothing."""
        return ""

    @property
    def identity(self) -> str:
        """Nothing."""
        return ""


class AuthenticationBackend:
    """Says who a connection is from. To be subclassed."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Give credentials and user, None for no one. Raises :class:`AuthenticationError`."""
        raise NotImplementedError


def has_required_scope(conn: HTTPConnection, scopes: Sequence[str]) -> bool:
    """Say whether the client has all these scopes."""
    return set(scopes).issubset(conn.auth.scopes)


def requires(
    scopes: str | Sequence[str], status_code: int = 403, redirect: str | None = None
) -> Callable[[Endpoint], Endpoint]:
    """Let only clients with these scopes reach the decorated endpoint.

    Others get ``status_code``, or are sent to the route called ``redirect``; a WebSocket is closed.
    The endpoint must have a parameter ``request`` or ``websocket``.
    """
    needed = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorator(func: Endpoint) -> Endpoint:
        name, place = _connection_of(func)
        if name == "websocket":
            return _guard_websocket(func, place, needed)  # type: ignore[return-value]
        refusal = functools.partial(_refusal, needed=needed, status_code=status_code, redirect=redirect)
        if is_async_callable(func):

            @functools.wraps(func)
            async def guarded(*args: Any, **kwargs: Any) -> Any:
                refused = refusal(_argument("request", place, args, kwargs))
                return await func(*args, **kwargs) if refused is None else refused

            return guarded  # type: ignore[return-value]

        @functools.wraps(func)
        def guarded_in_thread(*args: Any, **kwargs: Any) -> Any:
            refused = refusal(_argument("request", place, args, kwargs))
            return func(*args, **kwargs) if refused is None else refused

        return guarded_in_thread  # type: ignore[return-value]

    return decorator


def _guard_websocket(func: Callable[..., Any], place: int, needed: list[str]) -> Callable[..., Any]:
    @functools.wraps(func)
    async def guarded(*args: Any, **kwargs: Any) -> None:
        websocket = _argument("websocket", place, args, kwargs)
        if has_required_scope(websocket, needed):
            await func(*args, **kwargs)
        else:
            await websocket.close()

    return guarded


def _connection_of(func: Callable[..., Any]) -> tuple[str, int]:
    for place, name in enumerate(inspect.signature(func).parameters):
        if name in ("request", "websocket"):
            return name, place
    raise TypeError(f'No "request" or "websocket" argument on function "{func}"')


def _argument(name: str, place: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Give the connection that the endpoint was called with: ours, or Starlette's."""
    found = kwargs.get(name, args[place] if place < len(args) else None)
    expected = {"request": "Request", "websocket": "WebSocket"}[name]
    assert any(cls.__name__ == expected for cls in type(found).__mro__), (  # noqa: S101 - the type that users know
        f"Parameter with name '{name}' is required to be of type '{expected}' not '{type(found).__name__}'"
    )
    return found


def _refusal(request: Any, *, needed: list[str], status_code: int, redirect: str | None) -> Any:
    """Give the answer to a client that may not; None to one that may."""
    if has_required_scope(request, needed):
        return None
    if redirect is None:
        raise BaseHTTPException(status_code=status_code)
    from .responses import RedirectResponse  # noqa: PLC0415 - few endpoints need it

    query = urlencode({"next": str(request.url)})
    return RedirectResponse(url=f"{request.url_for(redirect)}?{query}", status_code=303)
