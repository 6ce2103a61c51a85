"""Python runs this at its start: programs that the suite starts of its own get ours for `fastapi` too."""

import os

if "PYTEST_CURRENT_TEST" in os.environ and "ANCHOR_MAP" in os.environ:
    import data_bridge.fastapi

    data_bridge.fastapi.install()
