# collections, heapq, bisect, array, sets.
import array
import bisect
import collections
import heapq

print(collections.Counter("abracadabra").most_common(2), collections.deque([1, 2, 3], maxlen=2))
print(collections.OrderedDict(a=1), collections.defaultdict(list, {"a": [1]}), collections.ChainMap({"a": 1}, {"b": 2}))
Point = collections.namedtuple("Point", "x y")
print(Point(1, 2)._replace(x=3), Point._fields, heapq.nsmallest(2, [5, 1, 4]), bisect.bisect([1, 3, 5], 3))
print(array.array("i", [1, 2]).tobytes(), sorted({3, 1, 2} | {4}), frozenset([1]), {1: "a"} | {2: "b"})
heap = [3, 1, 2]
heapq.heapify(heap)
print(heap, [heapq.heappop(heap) for _ in range(3)])
