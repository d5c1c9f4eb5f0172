# The traceback of an ExceptionGroup.
def fail(error):
    try:
        raise error
    except Exception as raised:
        return raised


group = ExceptionGroup("several", [fail(ValueError("one")), ExceptionGroup("nested", [fail(KeyError("two"))])])
raise group
