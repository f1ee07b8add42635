"""A user namespace whose maps the parent writes: only so can there be more than one id in it (user_namespaces(7))."""

from __future__ import annotations

import os

from udock_lab.isolation.ask import WriteIdMap
from udock_lab.isolation.rights import Dumpable
from udock_lab.isolation.step import Child, Step
from udock_lab.isolation.user import NewUserNamespace
from udock_lab.linux import idmaps

__all__ = ["ParentWritesMap", "namespace_by_rule"]


def namespace_by_rule(rule: str) -> list[Step]:
    """Unshare, have the maps written, and be oneself again in /proc."""
    files = [name for name in idmaps.FILES if os.geteuid() != 0 or name != idmaps.SETGROUPS]  # root need not deny it
    return [NewUserNamespace(), *(ParentWritesMap(name, rule) for name in files), Dumpable(1)]


class ParentWritesMap(Step):
    """Wait until the parent has written one of the three files."""

    name = "parent_writes_map"
    call = "write"
    fields = ("file", "rule")
    file: str
    rule: str

    def describe(self) -> str:
        return f'the parent: write(open("/proc/PID/{self.file}"), {self.rule})'

    def apply(self, child: Child) -> None:
        child.ask(WriteIdMap(file=self.file, rule=self.rule))
