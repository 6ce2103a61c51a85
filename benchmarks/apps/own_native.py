"""Constant routes that never touch the interpreter."""

import load

from data_bridge import App

load.begin()
app = App()
app.native("/plaintext", "Hello, World!")
app.native("/native", "Hello, World!")
app.native("/json", b'{"message":"Hello, World!"}', content_type="application/json")
