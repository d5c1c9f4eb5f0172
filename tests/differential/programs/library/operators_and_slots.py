# Errors of operators, calls and attributes: their texts.
class Slots:
    __slots__ = ("x",)


for expression in ("1 + 'a'", "[] < 3", "len(5)", "{}[[]]", "Slots().y", "setattr(Slots(), 'y', 1)", "int('x')", "(1).foo", "f()",
                   "'a'.join([1])", "[1][5]", "None()", "object() + 1", "max([])", "next(iter([]))", "2 ** -1.5 // 0", "dict([1])",
                   "range(0.5)", "'abc'[1.5]", "print(1, 2, seep='')", "(lambda x: x)()", "isinstance(1, 2)", "chr(-1)", "abs('x')"):
    try:
        print(eval(expression))
    except Exception as error:
        print(f"{expression}: {type(error).__name__}: {error}")
