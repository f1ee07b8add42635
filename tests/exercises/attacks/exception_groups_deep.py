"""A chain of causes without end."""


def launch(argv):
    error = None
    for n in range(20000):
        new = ValueError("<b>" + str(n))
        new.__cause__ = error
        error = new
    a = ValueError("a")
    b = ValueError("b")
    a.__context__ = b
    b.__context__ = a
    raise error
