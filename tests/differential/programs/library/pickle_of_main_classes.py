# pickle of classes and functions of main.
# also: warm
import copy
import pickle


class Point:
    def __init__(self, x):
        self.x = x

    def __reduce__(self):
        return Point, (self.x,)


def function():
    return "a function of main"


data = pickle.dumps([Point(3), function, {"a": (1, 2)}])
points = pickle.loads(data)
print(points[0].x, points[1](), points[2], b"__main__" in data, copy.deepcopy(points[0]).x)
pickle.dumps(lambda: 1)
