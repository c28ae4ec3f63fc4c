"""What a stranger wrote, as text that does nothing to a terminal but stand there."""

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""
    Return a text with everything escaped that a terminal acts upon, or that hides or reorders what is seen.

    That is what Unicode calls no graphic character: control characters, the C1 ones included, marks of direction,
    separators of lines, halves of pairs.

    >>> printable("name\x1b]52;c;YQ==\x07 \u202eevil")
    'name\\x1b]52;c;YQ==\\x07 \\u202eevil'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
