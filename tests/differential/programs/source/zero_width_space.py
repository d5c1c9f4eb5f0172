# A zero-width space in the source.
x​ = 1
