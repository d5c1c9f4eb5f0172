# help() of a function of the script and of a builtin, without a pager.
def area(width: float, height: float = 1.0) -> float:
    """Return the area.

    Nothing more.
    """


help(area)
help(len)
