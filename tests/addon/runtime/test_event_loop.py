"""Tasks start at once under mitmproxy's eager task factory, whatever signature that has in this release of Python."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mitmproxy.utils.asyncio_utils import set_eager_task_factory

from addon.runtime.event_loop import eager_task, new_event_loop, run

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


def factory_of_3_12(loop: Any, coro: Any, *, name: Any = None, context: Any = None) -> Any:
    """asyncio.eager_task_factory in Python 3.12 and in the first releases of 3.13."""
    return asyncio.Task(coro, loop=loop, name=name, context=context, eager_start=True)


def factory_of_3_13(loop: Any, coro: Any, *, eager_start: bool = True, **options: Any) -> Any:
    """asyncio.eager_task_factory in later releases of Python 3.13, and in 3.14."""
    return asyncio.Task(coro, loop=loop, eager_start=eager_start, **options)


@contextmanager
def eager(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Set the factory that mitmproxy sets."""
    with set_eager_task_factory():
        assert loop.get_task_factory()
        yield


@pytest.mark.parametrize("factory", [factory_of_3_12, factory_of_3_13, asyncio.eager_task_factory])
@pytest.mark.parametrize("make_loop", [new_event_loop, asyncio.new_event_loop])
def test_tasks_start_at_once_with_the_factory_of_each_python_release(
    factory: Any, make_loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "eager_task_factory", factory)
    steps = []

    async def step(name: str) -> None:
        steps.append(name)

    async def main() -> None:
        with eager(asyncio.get_running_loop()):
            task = asyncio.create_task(step("task"), name="named")
            steps.append("creator")
            await task
            assert task.get_name() == "named"

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())
    assert steps == ["task", "creator"]


@pytest.mark.parametrize("given", [{}, {"context": None}, {"context": None, "eager_start": None}, {"name": "n"}])
def test_the_factory_takes_the_options_of_each_uvloop_release(given: dict[str, Any]) -> None:
    async def main() -> None:
        started = []

        async def body() -> None:
            started.append(True)

        task = eager_task(asyncio.get_running_loop(), body(), **given)
        assert started
        await task

    run(main())


def test_a_task_that_must_not_start_at_once_does_not() -> None:
    async def main() -> None:
        started = []

        async def body() -> None:
            started.append(True)

        task = eager_task(asyncio.get_running_loop(), body(), eager_start=False)
        assert not started
        await task
        assert started

    run(main())


def test_a_task_runs_in_the_context_that_it_is_given() -> None:
    async def main() -> None:
        context = contextvars.copy_context()
        context.run(variable.set, "given")

        async def body() -> str:
            return variable.get()

        with eager(asyncio.get_running_loop()):
            assert await asyncio.create_task(body(), context=context) == "given"

    run(main())
