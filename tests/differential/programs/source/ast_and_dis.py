# ast and dis of functions of the script.
import ast
import dis
import inspect


def f(x):
    return x + 1


print(ast.unparse(ast.parse(inspect.getsource(f))))
print([each.opname for each in dis.get_instructions(f)][-2:], dis.code_info(f).splitlines()[0])
print(ast.dump(ast.parse("a = b"), indent=None))
