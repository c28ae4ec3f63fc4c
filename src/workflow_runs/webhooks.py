"""The readers of signed webhooks, importable from here as well as from `workflow_runs.callbacks.webhooks`."""

from .callbacks.webhooks import InteractlyEvent, read_dashboard_event, read_interactly_event

__all__ = ["InteractlyEvent", "read_dashboard_event", "read_interactly_event"]
