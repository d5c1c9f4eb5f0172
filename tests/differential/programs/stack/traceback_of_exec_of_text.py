# The traceback of an exception in exec() of a text.
exec("x = 1\nraise ValueError(x)\n")
