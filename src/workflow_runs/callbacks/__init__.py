"""What the services post: run callbacks and signed webhooks, read, checked and received.

`run_finished` and `webhooks` read a payload; `signatures` says whether it is genuine; `receivers` are ASGI applications
for a web server, `listener` serves a script that has none. All of them answer by `responses`.
"""

from .run_finished import RunFinished, read_callback

__all__ = ["RunFinished", "read_callback"]
