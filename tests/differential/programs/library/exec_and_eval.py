# exec, eval, compile with namespaces, and what builtins they get.
scope = {}
exec("a = 1\ndef f(): return a + 1", scope)
print(scope["f"](), sorted(scope)[:1], eval("a + b", scope, {"b": 5}), eval(compile("3 * 4", "", "eval")))
print(type(eval("lambda: 0")).__name__, eval("__name__"), eval("__name__", {}))
exec("print(__name__, __builtins__ is not None)", {})
