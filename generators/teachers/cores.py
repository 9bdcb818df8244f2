"""How many cores this process may use: physical ones, less what affinity and container limits take away."""

import math
import os
import subprocess
import sys
from pathlib import Path


def usable_cores() -> int:
    """At least 1. Two threads on one core get in each other's way, so hyper-threads count once."""
    if sys.platform == "darwin":
        return _mac_cores() or os.cpu_count() or 1
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = {_siblings(cpu) for cpu in allowed}
    return max(1, min(len(cores), _quota()))


def _siblings(cpu: int) -> str:
    """The hyper-threads of the core that a CPU belongs to, as the kernel writes them; itself if that is unknown."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def _quota() -> int:
    """Cores that the control group of a container allows."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # No such limit, or "max".
        return sys.maxsize


def _mac_cores() -> int:
    """The fast cores of an Apple chip; all of an Intel one."""
    for name in ("hw.perflevel0.physicalcpu", "hw.physicalcpu"):
        found = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False)
        if found.returncode == 0 and found.stdout.strip().isdigit():
            return int(found.stdout)
    return 0
