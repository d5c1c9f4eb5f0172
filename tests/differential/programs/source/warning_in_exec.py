# A SyntaxWarning in exec() of a text.
exec("x = 1\nprint(x is 1)")
compile("x is 'a'", "named.py", "eval")
