# Modules that are not in this root file system: the message of their absence.
try:
    import tkinter
except ImportError as error:
    print(error)
