"""The ways to make a program use our loop. No oracle here: these are ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap

import fastapi
import pytest

import data_bridge


async def running_class():
    await asyncio.sleep(0)
    return type(asyncio.get_running_loop())


def in_a_process(code, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_run():
    assert data_bridge.run(running_class()) is data_bridge.Loop


def test_run_takes_debug_and_a_factory():
    async def debug():
        return asyncio.get_running_loop().get_debug()

    assert data_bridge.run(debug(), debug=True) is True
    assert data_bridge.run(running_class(), loop_factory=asyncio.SelectorEventLoop) is asyncio.SelectorEventLoop


def test_run_refuses_a_running_loop_and_what_is_no_coroutine():
    async def main():
        coroutine = running_class()
        with pytest.raises(RuntimeError, match="cannot be called from a running event loop"):
            data_bridge.run(coroutine)
        coroutine.close()

    data_bridge.run(main())
    with pytest.raises((ValueError, TypeError)):
        data_bridge.run(42)


async def asgi(scope, receive, send):
    """An application."""


def wsgi(environ, start_response):
    """An older one."""


@pytest.mark.parametrize(
    "app", [asgi, wsgi, data_bridge.App(), fastapi.FastAPI()], ids=["asgi", "wsgi", "App", "FastAPI"]
)
def test_run_names_the_function_for_applications(app):
    with pytest.raises(TypeError, match=r"a coroutine was expected, got .*: .* use data_bridge\.serve\(\)"):
        data_bridge.run(app)


@pytest.mark.parametrize("other", [running_class, repr, 42])
def test_run_leaves_the_rest_to_asyncio(other):
    with pytest.raises((TypeError, ValueError), match="a") as ours:
        data_bridge.run(other)
    with pytest.raises((TypeError, ValueError), match="a") as standard:
        asyncio.run(other)
    assert (ours.type, str(ours.value)) == (standard.type, str(standard.value))


def test_runner():
    with asyncio.Runner(loop_factory=data_bridge.new_event_loop) as runner:
        assert runner.run(running_class()) is data_bridge.Loop
        assert isinstance(runner.get_loop(), data_bridge.Loop)


POLICY = """
    import asyncio, warnings
    warnings.filterwarnings("ignore", "'asyncio.*policy' is deprecated", DeprecationWarning)
    import data_bridge
    {install}
    async def main():
        return type(asyncio.get_running_loop()).__name__
    print(asyncio.run(main()))
    print(type(asyncio.new_event_loop()).__name__)
"""


@pytest.mark.parametrize(
    "install", ["asyncio.set_event_loop_policy(data_bridge.EventLoopPolicy())", "data_bridge.install()"]
)
@pytest.mark.skipif(sys.version_info >= (3, 16), reason="policies are gone")
def test_policy(install):
    assert in_a_process(POLICY.format(install=install)) == "Loop\nLoop\n"


def test_importing_warns_of_nothing():
    assert in_a_process("import data_bridge; print('fine')", "-W", "error") == "fine\n"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="child watchers are gone")
@pytest.mark.filterwarnings("ignore:.*child watcher.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")
def test_the_policy_has_a_child_watcher():
    policy = data_bridge.EventLoopPolicy()
    assert policy.get_child_watcher() is not None
    assert isinstance(policy, asyncio.DefaultEventLoopPolicy)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError):
        data_bridge.no_such_name  # noqa: B018
