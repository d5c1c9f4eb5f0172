# What judges' tasks compute: primes, Fibonacci, a knapsack, a search on a grid.
import collections
import heapq

sieve = bytearray([1]) * 100_001
for n in range(2, 317):
    if sieve[n]:
        sieve[n * n::n] = bytes(len(range(n * n, 100_001, n)))
print(sum(sieve) - 2)
a, b = 0, 1
for _ in range(1000):
    a, b = b, a + b
print(a % 10**9)
best = [0] * 101
for weight, value in ((10, 60), (20, 100), (30, 120)):
    for room in range(100, weight - 1, -1):
        best[room] = max(best[room], best[room - weight] + value)
print(best[50])
distance, queue = {(0, 0): 0}, collections.deque([(0, 0)])
while queue:
    x, y = queue.popleft()
    for nx, ny in ((x + 1, y), (x, y + 1), (x - 1, y), (x, y - 1)):
        if 0 <= nx < 50 and 0 <= ny < 50 and (nx * ny) % 7 != 1 and (nx, ny) not in distance:
            distance[nx, ny] = distance[x, y] + 1
            queue.append((nx, ny))
print(distance.get((49, 49)), len(distance))
