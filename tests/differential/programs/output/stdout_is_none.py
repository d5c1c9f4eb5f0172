# sys.stdout = None: print() does nothing from then on, and what came before is shown.
import sys

print("before")
sys.stdout = None
print("nowhere")
