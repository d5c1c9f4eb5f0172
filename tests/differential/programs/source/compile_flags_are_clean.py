# exec(), eval() and compile() in a script inherit no __future__ of anybody's.
exec("def f(x: int): pass\nprint(f.__annotations__)")
print(compile("1", "x", "eval").co_flags & 0x1FFF0000)
