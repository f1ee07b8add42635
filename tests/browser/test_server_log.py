"""What of a server's log is a complaint."""

from __future__ import annotations

import pytest
from server_log import complaints_in

CLOSED = """[IPKernelApp] ERROR | Exception in message handler:
Traceback (most recent call last):
  File "/x/site-packages/ipykernel/kernelbase.py", line 508, in dispatch_shell
    await result
  File "{file}", line 914, in execute_request
    reply_msg = self.session.send(
                ~~~~~~~~~~~~~~~~~^
zmq.error.ZMQError: Socket operation on non-socket
"""
PENDING = """[IPKernelApp] ERROR | Task was destroyed but it is pending!
task: <Task pending name='Task-7' coro=<wait() running at {file}:505> wait_for=<Future pending cb=[Task.task_wakeup()]>>
"""
BEGINNING = """[IPKernelApp] ERROR | KeyboardInterrupt caught in kernel.
Exception ignored in: <coroutine object Kernel.shell_channel_thread_main at 0x7f4dc62f25c0>
Traceback (most recent call last):
  File "{file}", line 784, in write
    self._schedule_flush()
  File "/usr/lib/python3.11/asyncio/base_events.py", line 519, in _check_closed
    raise RuntimeError('Event loop is closed')
RuntimeError: Event loop is closed
"""
LEFT = """Task exception was never retrieved
future: <Task finished name='Task-5' coro=<WebSocketProtocol13.write_message.<locals>.wrapper() done, defined at {file} \
/x/site-packages/tornado/websocket.py:1138> exception=WebSocketClosedError()>
Traceback (most recent call last):
  File "{file}", line 1140, in wrapper
    await fut
tornado.iostream.StreamClosedError: Stream is closed

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "{file}", line 1142, in wrapper
    raise WebSocketClosedError()
tornado.websocket.WebSocketClosedError
"""
THEIRS = "/x/site-packages/ipykernel/kernelbase.py"
OURS = "/x/udock_lab/widgets/panel.py"


@pytest.mark.parametrize("said", [BEGINNING, CLOSED, PENDING, LEFT])
def test_the_last_words_of_a_kernel_that_is_shut_down_are_no_complaint_and_ours_are(said: str) -> None:
    assert complaints_in("before\n" + said.format(file=THEIRS) + "after\n") == []
    assert len(complaints_in(said.format(file=THEIRS) + said.format(file=OURS))) in (1, said.count("Traceback"))


def test_every_other_traceback_is_a_complaint() -> None:
    other = CLOSED.format(file=THEIRS).replace("zmq.error.ZMQError: Socket operation on non-socket", "KeyError: 'x'")
    assert len(complaints_in(other + CLOSED.format(file=THEIRS))) == 1
    assert (
        len(complaints_in(LEFT.format(file=THEIRS).replace("StreamClosedError: Stream is closed", "KeyError: 'x'")))
        == 2
    )
    assert len(complaints_in(BEGINNING.format(file=THEIRS).replace("Kernel.shell", "Panel.shell"))) == 1
    assert len(complaints_in(PENDING.format(file="/usr/lib/python3.13/asyncio/tasks.py"))) == 1
