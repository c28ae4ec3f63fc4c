"""Cases per second of the client side, beside its own floor: the same cases through bare httpx."""
