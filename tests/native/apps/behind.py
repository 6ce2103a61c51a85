"""The same app behind middleware in Python: each request goes through ASGI."""

from handlers import app


class Passing:
    """Adds nothing."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


app.add_middleware(Passing)
