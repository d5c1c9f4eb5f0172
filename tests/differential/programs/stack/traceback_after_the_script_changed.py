# A traceback of a script that wrote over its own file.
# doors: cold via run run-cold
with open(__file__, "w") as file:
    file.write("# another text\n" * 20)
raise ValueError("changed")
