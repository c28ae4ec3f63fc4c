"""The package's version. The contract has its own, `workflow_runs_api.CONTRACT_VERSION`."""

__version__ = "0.1.0"
