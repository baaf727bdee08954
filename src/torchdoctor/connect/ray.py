"""The arms of a cure on a Ray cluster: a race starts all of its arms at once, and each runs where there is room.

    with cluster("ray://head:10001") as nodes:
        td.cure(experiment, on=nodes)

What was running on a node that dies, Ray runs again on another; what no node could run, this process does. An arm is
the same wherever it runs, so that nothing is lost and nothing comes out another way.
May not: judge, choose what to try.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from types import ModuleType
from typing import Any

import torch

from torchdoctor.cures.arm import Outcome, Tell
from torchdoctor.cures.remedies import treated
from torchdoctor.cures.runner import Job, Wait
from torchdoctor.errors import BadParts, TorchDoctorError, one_line
from torchdoctor.experiment import Experiment
from torchdoctor.extra import needed

RETRIES = 3  # of an arm whose node died; then this process runs it


@contextmanager
def cluster(address: str | None = None, *, cpus: float = 1, gpus: float = 0, **options: Any) -> Iterator[Cluster]:
    """A connection to a cluster, as what runs the arms of a cure; it is closed at the end unless it was there before.

    A cluster that is made here runs its workers as any program; one that is there already as it was told
    (`RAY_worker_niceness=0 ray start ...` on each node; Ray's default, 15, makes them wait for everything else).

    address: "ray://host:10001", "auto" for the one that this machine belongs to, or None: that one, or else a new one
    on this machine alone. cpus, gpus: that an arm takes. options: of ray.init, for example runtime_env with the
    packages that the nodes lack; the experiment itself travels with the arms. Raises BadParts when nobody answers.
    """
    ray = needed("ray", extra="ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cure tells nobody of itself
    # Ray starts its workers 15 steps nicer than itself, so that its own few threads always get a turn. On a machine
    # where anything else runs, an arm then gets a thirtieth of a processor, and a cure takes longer than without Ray.
    os.environ.setdefault("RAY_worker_niceness", "0")
    there = ray.is_initialized()
    if not there:
        try:
            ray.init(address, **{"log_to_driver": False, "logging_level": "ERROR", **options})
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise BadParts(f"No Ray cluster answers at {address or 'this machine'}: {one_line(error)}") from None
    try:
        yield Cluster(ray, cpus, gpus)
    finally:
        if not there:
            ray.shutdown()


class Cluster:
    """Takes the arms of a cure. ray: the module, connected."""

    def __init__(self, ray: Any, cpus: float = 1, gpus: float = 0) -> None:
        self._ray = ray
        self._arm = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(_arm)
        self._sent: tuple[Experiment, Any] | None = None

    def start(self, job: Job, tell: Tell) -> Wait:
        """Hand it to the cluster; the returned function waits for it. What its loop logs is not heard before."""
        told = {f.name: getattr(job, f.name) for f in fields(job) if f.name != "experiment"}
        sent = self._put(job.experiment), told, torch.get_num_threads(), list(sys.path)
        return partial(self._fetched, self._arm.remote(*sent), job)

    def _put(self, experiment: Experiment) -> Any:
        """Sent once for all arms: it may hold all the data."""
        if self._sent is None or self._sent[0] is not experiment:
            self._sent = experiment, self._ray.put(_packed(experiment, self._ray.cloudpickle))
        return self._sent[1]

    def _fetched(self, reference: Any, job: Job) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # the arm itself said no, as it would have done here
            if isinstance(error.cause, TorchDoctorError):
                raise type(error.cause)(str(error.cause)) from None
            raise
        except self._ray.exceptions.RayError:  # the nodes, or the way to them
            return job.trained(treated(job.experiment, job.remedies))
        return outcome


def _packed(experiment: Experiment, cloudpickle: Any) -> bytes:
    """With the code of the modules that build, loop and score are written in: they lie on this machine, not on the
    nodes. What is installed is installed there too."""
    modules = {inspect.getmodule(f) for f in (experiment.build, experiment.fit, experiment.score)}
    own = [m for m in modules if m is not None and not _is_there(m)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(experiment))
    except Exception as error:
        raise BadParts(f"The experiment cannot be sent to another machine: {one_line(error)}") from error
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _is_there(module: ModuleType) -> bool:
    """On the nodes, as part of Python or installed; the program itself travels by value anyway."""
    package = module.__name__.partition(".")[0]
    standard = package in sys.stdlib_module_names or package in ("torchdoctor", "__main__")
    return standard or "site-packages" in (getattr(module, "__file__", None) or "")


def _arm(packed: bytes, told: dict[str, Any], threads: int, path: list[str]) -> Outcome:
    """On a node. Ray would give it as many threads as processors, and sums come out otherwise with another number.

    path: where Python looks for modules on the machine that asks; nodes on the same disk find the user's own there.
    """
    from ray import cloudpickle

    sys.path += [place for place in path if place not in sys.path]
    torch.set_num_threads(threads)
    job = Job(cloudpickle.loads(packed), **told)
    return job.trained(treated(job.experiment, job.remedies))
