"""nginx answering constants by `return`: about the least that one process can spend on a request."""

from benchmarks.driver.peer import Launch, Peer
from benchmarks.scenarios import HELLO, MESSAGE

CONFIGURATION = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid {scratch}/nginx.pid;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /plaintext {{ default_type text/plain; return 200 '{hello}'; }}
        location = /native {{ default_type text/plain; return 200 '{hello}'; }}
        location = /json {{ default_type application/json; return 200 '{message}'; }}
    }}
}}
"""


def command(launch: Launch) -> list[str]:
    """Writes the configuration and starts one worker under it."""
    file = launch.scratch / f"nginx-{launch.port}.conf"
    file.write_text(
        CONFIGURATION.format(scratch=launch.scratch, port=launch.port, hello=HELLO.decode(), message=MESSAGE.decode())
    )
    return ["nginx", "-e", "stderr", "-c", str(file)]


PEER = Peer(
    name="nginx",
    title="nginx",
    command=command,
    scenarios=frozenset({"plaintext", "json", "native", "many"}),
    tool="nginx",
)
