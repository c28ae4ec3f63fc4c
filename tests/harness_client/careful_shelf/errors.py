"""Contains shared errors types that can be raised from API functions."""


class ShelfApiError(Exception):
    """The root of all errors; what was received of a reply is kept."""

    def __init__(self, message: str, status_code: int | None = None, content: bytes | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.content = content


class UnexpectedStatus(ShelfApiError):
    """The server has returned an undocumented status."""


class UnexpectedReply(ShelfApiError):
    """The reply is not what is documented for its status."""


class InvalidArgument(ShelfApiError):
    """The server would refuse this: nothing was sent."""


class NotConnected(ShelfApiError):
    """No complete reply came."""
