"""Data parallel in JAX: one array is spread over the devices of all processes, and the compiler adds the sums."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from utils.engines.job import Job, read


def mean_loss(parameters: list, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of a network of dense layers with ReLU between them."""
    for i in range(0, len(parameters), 2):
        x = (jnp.maximum(x, 0) if i else x) @ parameters[i] + parameters[i + 1]
    chosen = jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1)
    return -chosen.mean()


def main(job: Job) -> None:
    """Join the other processes, compute together, write."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(
        f"127.0.0.1:{job.ports[0]}", job.processes, job.rank, initialization_timeout=40, local_device_ids=[0]
    )
    mesh = Mesh(np.array(jax.devices()), ("data",))
    everywhere, split = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("data",)))
    x, y = (jax.make_array_from_process_local_data(split, part[job.own()]) for part in (job.x, job.y))
    parameters = [jax.make_array_from_process_local_data(everywhere, p) for p in job.parameters]
    step = jax.jit(jax.value_and_grad(mean_loss), out_shardings=everywhere)
    loss, gradients = step(parameters, x, y)  # nothing here says that there are several processes
    values = [np.asarray(g.addressable_data(0)) for g in gradients]
    text = step.lower(parameters, x, y).compile().as_text()
    job.finish(
        float(np.asarray(loss.addressable_data(0))),
        values,
        devices=jax.device_count(),
        all_reduce="all-reduce" in text,
        rows=int(x.addressable_data(0).shape[0]),
    )
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(read())
