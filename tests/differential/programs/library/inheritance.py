# super(), method resolution, descriptors, metaclasses, __init_subclass__.
class A:
    def __init_subclass__(cls, **keywords):
        print("subclass", cls.__name__, keywords)

    def f(self):
        return ["A"]


class B(A, tag=1):
    def f(self):
        return ["B"] + super().f()


class C(A):
    def f(self):
        return ["C"] + super().f()


class D(B, C):
    def f(self):
        return ["D"] + super().f()


print(D().f(), [c.__name__ for c in D.__mro__])


class Logged:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        return f"{owner.__name__}.{self.name}"


class Uses:
    field = Logged()


print(Uses().field, Uses.field)
class X(A, B): pass
