"""Real programs use the fixtures of the integration tests."""

from run_fixtures import default_policy, host, no_process_is_left, policy, pytest_configure, run  # noqa: F401
