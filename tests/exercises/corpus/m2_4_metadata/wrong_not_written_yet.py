"""The functions as they are handed out."""

# misconception: none yet; nothing has been written
# fails: saves
import os
import time

from udock_lab.grading import ContainerRecord


def save(db: str, record: ContainerRecord) -> None:
    raise NotImplementedError


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    raise NotImplementedError
