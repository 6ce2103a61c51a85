"""The tutorial's app with nothing changed but what its imports name: ours in FastAPI's place."""

from pathlib import Path

SOURCE = Path(__file__).with_name("tutorial.py")

exec(compile(SOURCE.read_text().replace("from fastapi", "from data_bridge.fastapi"), SOURCE, "exec"))
