# The name of a module before the class of an exception.
# files: errors.py "class Strange(Exception):\n    '''Of a module.'''\n"
import errors

raise errors.Strange("äöü\nsecond line")
