"""Returns a value of hundreds of megabytes."""



from udock_lab.grading import ExitInfo


def launch(argv):
    return ExitInfo(code='x' * (300 << 20), signal=['y' * 1000] * 1000)
    return ExitInfo(code=42)
