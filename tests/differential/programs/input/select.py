# select and selectors on standard input.
# stdin: "ready\n"
import select
import selectors
import sys

print(select.select([sys.stdin], [], [], 10)[0] == [sys.stdin])
with selectors.DefaultSelector() as selector:
    selector.register(sys.stdin, selectors.EVENT_READ)
    print([key.fileobj is sys.stdin for key, _ in selector.select(10)], input())
