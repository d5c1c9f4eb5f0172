# gc.set_debug(gc.DEBUG_SAVEALL): garbage is kept, and no __del__ is called for it.
import gc

gc.collect()
gc.set_debug(gc.DEBUG_SAVEALL)


class Node:
    pass


node = Node()
node.me = node
del node
gc.collect()
print(any(isinstance(each, Node) for each in gc.garbage))
