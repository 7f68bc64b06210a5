"""A real Slurm cluster of one node on the loopback address, for the time of a `with` block."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "srun")
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
MinJobAge=86400
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=100000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def search_path() -> str:
    """Where programs are looked for, those of the system's administrator included."""
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


def missing_programs() -> list[str]:
    """Programs that Debian's slurm-wlm and munge bring, and that are not here."""
    return [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]


@contextmanager
def slurm_cluster() -> Iterator[dict[str, str]]:
    """Start munged, slurmctld and slurmd; yield the environment in which Slurm's commands find them; stop them."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: the path of a socket has at most 107 characters
    path = f"{folder / 'bin'}{os.pathsep}{search_path()}"
    environment = {**os.environ, "PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _configure(folder)
        files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed", "key-file": "key"}
        options = [f"--{option}={folder}/munge.{suffix}" for option, suffix in files.items()]
        _start(stack, folder, environment, "munged", "--foreground", "--force", *options)
        _wait_until(lambda: (folder / "munge.socket").exists(), folder)
        _start(stack, folder, environment, "slurmctld", "-D")
        _start(stack, folder, environment, "slurmd", "-D")
        _wait_until(lambda: "idle" in _states(environment), folder)
        yield environment


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    _write_srun(folder)
    given = {"host": socket.gethostname().split(".")[0], "user": _user(), "folder": folder}
    ports = dict(zip(("controller_port", "node_port"), _free_ports(2), strict=True))
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**given, **ports))


def _write_srun(folder: Path) -> None:
    """Snakemake's steps of a job forget SLURM_CONF, so that without this `srun` looks for /etc/slurm."""
    (folder / "bin").mkdir()
    script, found = folder / "bin" / "srun", shutil.which("srun", path=search_path())
    script.write_text(f'#!/bin/sh\nSLURM_CONF="{folder}/slurm.conf" exec "{found}" "$@"\n')
    script.chmod(0o755)


def _user() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _start(stack: ExitStack, folder: Path, environment: dict[str, str], name: str, *options: str) -> None:
    program = shutil.which(name, path=environment["PATH"])
    assert program is not None
    output = stack.enter_context((folder / f"{name}.out").open("w"))
    process = subprocess.Popen([program, *options], env=environment, stdout=output, stderr=subprocess.STDOUT)
    stack.callback(_stop, process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _states(environment: dict[str, str]) -> str:
    done = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, timeout=30)
    return done.stdout


def _wait_until(ready: object, folder: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        if time.monotonic() > end:
            logs = [f"{path.name}:\n{path.read_text()[-1000:]}" for path in folder.glob("*.[ol][uo][tg]")]
            raise TimeoutError("the cluster does not start\n" + "\n".join(logs))
        time.sleep(0.5)
