"""Fills every place that takes a byte."""



from udock_lab.grading import ExitInfo


def launch(argv):
    for folder in ("/scratch", "/tmp", "/var/tmp", "/dev/shm", "/root", "@home@", "."):
        for number in range(100):
            try:
                with open(f"{folder}/full-{number}", "wb") as file:
                    for _ in range(64):
                        file.write(bytes(1 << 20))
            except OSError:
                break
    return ExitInfo(code=42)
