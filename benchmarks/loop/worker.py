"""One measurement in a process of its own: `python -m benchmarks.loop.worker LOOP CASE SCALE`, one line of JSON out."""

import asyncio
import json
import sys
import time

from benchmarks.loop.cases import CASES
from benchmarks.loop.factories import new_loop


def main() -> None:
    """Warms up with a tenth, then measures the CPU time of the whole process."""
    loop_name, case_name, scale = sys.argv[1], sys.argv[2], float(sys.argv[3])
    case = CASES[case_name]
    operations = case.scaled(scale)
    loop = new_loop(loop_name)
    asyncio.set_event_loop(loop)
    case.run(loop, case.scaled(scale / 10))
    before, clock = time.process_time_ns(), time.perf_counter_ns()
    case.run(loop, operations)
    cpu, wall = time.process_time_ns() - before, time.perf_counter_ns() - clock
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    print(
        json.dumps(
            {
                "ns": cpu / operations,
                "wall_ns": wall / operations,
                "class": f"{type(loop).__module__}.{type(loop).__name__}",
            }
        )
    )


if __name__ == "__main__":
    main()
