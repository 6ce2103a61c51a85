"""Adapters: apps of other frameworks, compiled into our plan. What does not compile stays the app's own."""
