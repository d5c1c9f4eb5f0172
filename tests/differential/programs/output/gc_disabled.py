# gc.disable() called by the script: cycles are collected at the end all the same.
import gc

gc.disable()


class Node:
    def __del__(self):
        print("gone")


node = Node()
node.me = node
del node
print("end of main")
