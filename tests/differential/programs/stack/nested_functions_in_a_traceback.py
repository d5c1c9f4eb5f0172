# The traceback of a 30-level chain of different functions.
source = "\n".join(f"def f{n}(): return f{n + 1}()" for n in range(30)) + "\ndef f30(): return {}['missing']\n"
exec(compile(source, "generated.py", "exec"))
f0()
