"""Notes: a small service as one would write it, with a database, accounts, uploads, a WebSocket and tests.

`data-bridge run notes.main:app --app-dir examples`, then http://127.0.0.1:8000/docs.
"""
