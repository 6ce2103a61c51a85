"""`python -m data_bridge`."""

from .cli import main

main()
