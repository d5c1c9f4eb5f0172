# weakref, copy, gc's counts of one's own objects.
import copy
import gc
import weakref


class Node:
    def __init__(self, value):
        self.value, self.next = value, None


node = Node(1)
cache = weakref.WeakValueDictionary(a=node)
reference = weakref.ref(node)
print(reference() is node, dict(cache).keys())
del node
print(reference(), len(cache), gc.isenabled(), gc.get_threshold())
nested = {"a": [1, [2]]}
shallow, deep = copy.copy(nested), copy.deepcopy(nested)
nested["a"][1].append(3)
print(shallow, deep)
