"""Four gigabytes at once."""



from udock_lab.grading import ExitInfo


def launch(argv):
    block = bytearray(4 << 30)
    return ExitInfo(code=len(block))
    return ExitInfo(code=42)
