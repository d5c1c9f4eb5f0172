#!/usr/bin/env python3 -u  A line for the shell.
print("shebang")
