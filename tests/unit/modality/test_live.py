"""Live status: what a stream says, how many there are, and when they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing

import pytest

from harness.modality.console import live
from harness.modality.console.live import ALIVE, CHANGED, MOST, Live
from harness.modality.signal import Signal


async def next_of(stream: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(stream), 5)


def stream_of(hub: Live, allowed: Callable[[], bool] = lambda: True) -> AsyncGenerator[str, None]:
    stream = hub.stream(allowed)
    assert isinstance(stream, AsyncGenerator), "it can be closed"
    return stream


def test_a_change_in_any_thread_is_an_event() -> None:
    async def look() -> None:
        signals = (Signal(), Signal())
        async with aclosing(stream_of(Live(signals))) as stream:
            assert (await next_of(stream)).endswith(ALIVE)
            for signal in signals:
                thread = threading.Thread(target=signal.set)
                thread.start()
                assert await next_of(stream) == CHANGED
                thread.join()

    asyncio.run(look())


def test_changes_while_nobody_waits_are_one_event() -> None:
    async def look() -> None:
        signal = Signal()
        hub = Live((signal,))
        stream = stream_of(hub)
        await next_of(stream)
        for _ in range(50):
            signal.set()
        assert await next_of(stream) == CHANGED
        following = asyncio.ensure_future(next_of(stream))
        _, waiting = await asyncio.wait([following], timeout=2 * live.PAUSE)
        assert waiting == {following}
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await following

    asyncio.run(look())


def test_streams_are_bounded_and_give_their_places_back() -> None:
    async def look() -> None:
        hub = Live((Signal(),))
        async with AsyncExitStack() as stack:
            for _ in range(MOST):
                await next_of(await stack.enter_async_context(aclosing(stream_of(hub))))
            assert hub.full
            assert [each async for each in stream_of(hub)] == []
        assert (hub.streams, hub.full) == (0, False)

    asyncio.run(look())


def test_a_stream_ends_with_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SIGN_OF_LIFE", 0.01)

    async def look() -> None:
        allowed = [True]
        stream = stream_of(Live((Signal(),)), lambda: allowed[0])
        await next_of(stream)
        assert await next_of(stream) == ALIVE
        allowed[0] = False
        assert {each async for each in stream} <= {ALIVE}

    asyncio.run(look())


def test_a_watcher_that_left_is_not_called() -> None:
    called: list[int] = []
    signal = Signal()
    leave = signal.watch(lambda: called.append(1))
    signal.set()
    leave()
    leave()
    signal.set()
    assert called == [1]
