"""A class that holds both ends."""

import errno
import os

from udock_lab.grading import ExitInfo


class Channel:
    def __init__(self):
        self.read_end, self.write_end = os.pipe()

    def send(self, number):
        os.write(self.write_end, str(number).encode())

    def receive(self):
        os.close(self.write_end)
        with open(self.read_end) as file:
            text = file.read()
        return int(text) if text else None


def run(argv):
    channel = Channel()
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            channel.send(error.errno)
        finally:
            os._exit(127)
    number = channel.receive()
    _, status = os.waitpid(pid, 0)
    if number is not None:
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
