"""A package that the client of the shelf brings along; what is wrong with a copy of it is changed there."""
