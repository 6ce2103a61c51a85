"""`python -m data_bridge.fastapi` is `data-bridge`."""

from data_bridge.fastapi.cli import main

main()
