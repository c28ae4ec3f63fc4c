"""Has pytest collect the chapters, and nothing else below this folder, as rows with fixtures and verdicts."""

from contract_tests.runner.pytest_plugin import *  # noqa: F403 - as hooks of a conftest they touch no test of others
