"""Wake-ups of the loop from other threads, ten million of them: none is lost, nothing stays."""

from __future__ import annotations

import asyncio
import sys
import threading

from flat import Watch

import data_bridge

THREADS = 4
#: So many of one thread are under way at once.
AHEAD = 1000


async def soak(total: int) -> None:
    """Has threads call `call_soon_threadsafe`, each as fast as the loop answers."""
    loop, watch, arrived = asyncio.get_running_loop(), Watch("wake-ups from other threads", total), 0
    finished = asyncio.Event()

    def arrive(allowance: threading.Semaphore) -> None:
        nonlocal arrived
        arrived += 1
        if arrived % AHEAD == 0:
            watch.done(arrived)
            if arrived == total:
                finished.set()
        allowance.release()

    def wake(times: int) -> None:
        allowance = threading.Semaphore(AHEAD)
        for _ in range(times):
            allowance.acquire()
            loop.call_soon_threadsafe(arrive, allowance)

    threads = [threading.Thread(target=wake, args=(total // THREADS,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    await finished.wait()
    for thread in threads:
        thread.join()
    watch.close()


if __name__ == "__main__":
    data_bridge.run(soak(int(sys.argv[1])))
