# Tracebacks through exec, eval and compile with names of their own.
code = compile("def f():\n    return g()\ndef g():\n    return 1 / 0\n", "<generated>", "exec")
scope = {}
exec(code, scope)
eval("f()", scope)
