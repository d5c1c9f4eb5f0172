# help("__main__") and pydoc of a module of the script's.
# files: shapes.py "'''Shapes.'''\n\ndef square(x):\n    '''Square it.'''\n    return x * x\n"
import pydoc

import shapes

print(pydoc.plain(pydoc.render_doc(shapes)))
