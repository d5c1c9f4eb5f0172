"""Jobs run on the CPUs of the service and at its nice value."""

import json
import os

import pytest

LOOK = "import json, os; print(json.dumps([sorted(os.sched_getaffinity(0)), os.cpu_count(), os.getpriority(0, 0)]))"


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_jobs_run_on_the_cpus_of_the_service_and_stand_back_as_it_does(serve, cold):
    cpu = min(os.sched_getaffinity(0))

    def stand_back():
        os.sched_setaffinity(0, {cpu})
        os.setpriority(os.PRIO_PROCESS, 0, 12)

    server = serve(cold=cold, popen={"preexec_fn": stand_back})
    assert server.metric("sandbox_jobs_max") == 2  # two for each CPU
    for _ in range(3):
        assert json.loads(server.run(LOOK, policy="default")["stdout"]) == [[cpu], 1, 12]
