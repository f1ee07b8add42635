"""An exception of a hundred megabytes, with markup."""


def launch(argv):
    class X(Exception):
        pass

    X.__name__ = "<script>alert(1)</script>" * 1000
    raise X("<script>alert(1)</script>\x1b[31m\n\0" * (4 << 20))
