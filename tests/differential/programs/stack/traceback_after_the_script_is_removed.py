# A traceback of a script that removed its own file: without lines.
# doors: cold via run run-cold
import os

os.remove(__file__)
raise ValueError("gone")
