"""The page that a developer sees instead of a 500: the exception, and each frame with the code around its line."""

from __future__ import annotations

import inspect
import traceback
from html import escape

_STYLE = """
:root { color-scheme: light dark; --edge: #8886; --mark: #e5484d33; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; white-space: pre-wrap }
details { border: 1px solid var(--edge); border-radius: .4rem; margin: .6rem 0 }
summary { padding: .5rem .8rem; cursor: pointer; overflow-wrap: anywhere }
ol { margin: 0; padding: .4rem 0 .6rem 4.5rem; overflow-x: auto; font: 13px/1.6 ui-monospace, monospace }
li { white-space: pre; padding-left: .6rem }
li[aria-current] { background: var(--mark) }
pre { overflow-x: auto; border: 1px solid var(--edge); border-radius: .4rem; padding: .8rem }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>
<body>
<h1>{error}</h1>
<p>Most recent call first.</p>
{frames}
<h2>As text</h2>
<pre>{text}</pre>
</body>
</html>
"""

_FRAME = """<details{opened}><summary><b>{function}</b> in {file}, line {line}</summary>
<ol start="{first}">{code}</ol></details>
"""


def page(error: BaseException, lines: int) -> str:
    """Make the page, ``lines`` lines of code a frame."""
    frames = inspect.getinnerframes(error.__traceback__, lines) if error.__traceback__ else []
    name = type(error).__qualname__
    return _PAGE.format(
        title=escape(f"{name}: {error}"[:100]),
        style=_STYLE,
        error=escape(f"{name}: {error}"),
        frames="".join(_frame(frame, opened=index == 0) for index, frame in enumerate(reversed(frames))),
        text=escape("".join(traceback.format_exception(error))),
    )


def _frame(frame: inspect.FrameInfo, *, opened: bool) -> str:
    """Show one frame. Code that has no file (`exec`, a shell) has no lines."""
    current = frame.index or 0
    code = "".join(
        f"<li{' aria-current=true' if index == current else ''}>{escape(line.rstrip())}</li>"
        for index, line in enumerate(frame.code_context or ())
    )
    return _FRAME.format(
        opened=" open" if opened else "",
        function=escape(frame.function),
        file=escape(frame.filename),
        line=frame.lineno,
        first=max(frame.lineno - current, 1),
        code=code,
    )
