# A SyntaxError in exec, eval and compile.
for call in (lambda: exec("x = = 1"), lambda: eval("1 +"), lambda: compile("if", "named.py", "exec")):
    try:
        call()
    except SyntaxError as error:
        print(error, error.lineno, error.offset, error.text, error.filename)
exec("def f(:\n  pass")
