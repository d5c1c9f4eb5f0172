# code.interact() with standard input.
# stdin: "x = 6\nx * 7\nx.missing\n"
import code

code.interact(banner="welcome", exitmsg="goodbye", local={})
