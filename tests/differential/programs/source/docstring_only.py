# A source that is a docstring.
"""Only a docstring."""
