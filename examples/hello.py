"""The smallest app: `data-bridge run hello:app --app-dir examples`."""

from data_bridge import App

app = App()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}
