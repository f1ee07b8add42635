"""A file that claims to be huge."""



from udock_lab.grading import ExitInfo


def launch(argv):
    with open('ran', 'wb') as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            file.truncate(1 << 25)
    return ExitInfo(code=42)
