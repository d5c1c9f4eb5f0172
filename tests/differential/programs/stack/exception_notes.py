# add_note() in a traceback.
try:
    raise ValueError("with notes")
except ValueError as error:
    error.add_note("first note")
    error.add_note("second\nnote")
    raise
