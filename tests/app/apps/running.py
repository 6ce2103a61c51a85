"""An app that serves itself."""

from data_bridge import App

app = App()


@app.get("/hello")
def hello():
    return "hello"


if __name__ == "__main__":
    app.run(port=0, access_log=False)
    print("over", flush=True)
