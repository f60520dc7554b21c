"""Keras on devices that one processor plays: data parallel, and model parallel with a layout of one's choice.

Options: ``devices``, how many; ``runs``, a list of layouts. An empty layout is data parallel over all devices; another
is a list of a pattern and the axes that it gets, on a mesh ("batch", "model") of ``mesh`` devices. The gradients of the
first run are those that are returned; ``gaps`` has how far the others lie from them, and ``shards`` for each run the
shape of each parameter's piece on the first device.
"""

from __future__ import annotations

import os

from utils.engines.job import Job, read


def main(job: Job) -> None:
    """Build the model once for each layout, compute, write."""
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={job.options['devices']}"
    import jax
    import keras
    import numpy as np

    keras.config.set_floatx(job.x.dtype.name)
    keras.config.set_dtype_policy(job.x.dtype.name)
    found, shards = [], []
    for layout in job.options["runs"]:
        names = keras.distribution.list_devices()
        if layout:
            mesh = keras.distribution.DeviceMesh(tuple(job.options["mesh"]), ("batch", "model"), names)
            layouts = keras.distribution.LayoutMap(mesh)
            for pattern, axes in layout:
                layouts[pattern] = tuple(axes)
            spread = keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
        else:
            spread = keras.distribution.DataParallel(devices=names)
        keras.backend.clear_session()  # it forgets the distribution, too
        keras.distribution.set_distribution(spread)
        units = [b.size for b in job.parameters[1::2]]
        last = len(units) - 1
        layers = [keras.layers.Dense(n, activation=None if i == last else "relu") for i, n in enumerate(units)]
        model = keras.Sequential([keras.Input(job.x.shape[1:]), *layers])
        model.set_weights(job.parameters)
        cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        def mean_loss(values: list, x: object, y: object, model: object = model, cost: object = cost) -> object:
            logits, _ = model.stateless_call(values, [], x)
            return cost(y, logits)

        x, y = (
            keras.distribution.distribute_tensor(keras.ops.convert_to_tensor(part), spread.get_data_layout(part.shape))
            for part in (job.x, job.y)
        )
        values = [variable.value for variable in model.trainable_variables]
        loss, gradients = jax.jit(jax.value_and_grad(mean_loss))(values, x, y)
        found.append([np.asarray(g) for g in gradients])
        shards.append([list(value.addressable_shards[0].data.shape) for value in values])
    gaps = [max(float(np.abs(a - b).max()) for a, b in zip(found[0], other, strict=True)) for other in found]
    job.finish(loss, found[0], devices=jax.device_count(), gaps=gaps, shards=shards)


if __name__ == "__main__":
    main(read())
