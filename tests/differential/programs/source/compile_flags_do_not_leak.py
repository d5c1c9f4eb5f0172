# What compile() of the script sets does not reach exec() in it.
from __future__ import annotations

exec("def f(x: int): pass\nprint(f.__annotations__)")
exec(compile("def g(x: int): pass\nprint(g.__annotations__)", "x", "exec", dont_inherit=True))
