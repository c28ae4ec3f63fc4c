"""Contains all the data models used in inputs/outputs."""

from .book import Author, Book, BookNotes
from .replies import BookPage, ClosedDay, OpenDay, Problem, SearchPending

__all__ = ["Author", "Book", "BookNotes", "BookPage", "ClosedDay", "OpenDay", "Problem", "SearchPending"]
