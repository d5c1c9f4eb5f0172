# PYTHONOPTIMIZE=1: no asserts.
# env: PYTHONOPTIMIZE=1
assert False, "never"
print(__debug__)
