"""
What openapi-python-client writes for ``shelf.yaml``, with everything mended by hand that it gets wrong.

The layout, the functions and the models are the generator's; nothing here comes from the harness, which must find
nothing in it.
"""

from .client import AuthenticatedClient, Client

__all__ = ["AuthenticatedClient", "Client"]
