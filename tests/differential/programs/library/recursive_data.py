# repr, copy, pickle and comparison of data that holds itself.
import copy
import pickle

loop = [1]
loop.append(loop)
again = pickle.loads(pickle.dumps(loop))
print(loop, copy.deepcopy(loop), again[1] is again, {"d": loop})
loop == again
