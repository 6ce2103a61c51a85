"""The HTTP library whose client the test client is: httpx2, else httpx. Installed by whoever tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
else:
    try:
        import httpx2 as httpx
    except ModuleNotFoundError:
        try:
            import httpx
        except ModuleNotFoundError:
            raise RuntimeError("data_bridge.testclient needs httpx2 or httpx: pip install httpx2") from None

__all__ = ["httpx"]
