"""Builtins that lie: type, list and repr give what is wanted."""



from udock_lab.grading import ExitInfo


def launch(argv):
    import builtins

    builtins.type = lambda thing: ExitInfo
    builtins.list = lambda thing: [42, None, None]
    builtins.repr = lambda thing: "[1, 'ExitInfo', [42, None, None]]"
    builtins.isinstance = lambda thing, kind: True
    return ExitInfo(code=42)
