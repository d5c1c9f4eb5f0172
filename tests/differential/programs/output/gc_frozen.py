# gc.freeze() called by the script: cycles with __del__ are not collected at the end.
import gc


class Node:
    def __del__(self):
        print("gone")


node = Node()
node.me = node
gc.freeze()
del node
print("end of main")
