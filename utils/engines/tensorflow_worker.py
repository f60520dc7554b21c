"""Data parallel in TensorFlow: the strategy for several workers, with a training loop of one's own.

Option ``fit``: whether to call Keras's ``fit`` under the same strategy afterwards; the name of the error that it raises
is written as ``fit_raises``, nothing if it raises none.
"""

from __future__ import annotations

import json
import os

from utils.engines.job import Job, read


def main(job: Job) -> None:
    """Join the other workers, compute together, write."""
    workers = [f"127.0.0.1:{port}" for port in job.ports]
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": {"worker": workers}, "task": {"type": "worker", "index": job.rank}}
    )
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        parameters = [tf.Variable(p) for p in job.parameters]
    x, y = tf.constant(job.x[job.own()]), tf.constant(job.y[job.own()])

    def replica() -> tuple:
        with tf.GradientTape() as tape:
            z = x
            for i in range(0, len(parameters), 2):
                z = (tf.nn.relu(z) if i else z) @ parameters[i] + parameters[i + 1]
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))
        gradients = tape.gradient(loss, parameters)
        together = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, [loss, *gradients])
        return tuple(together)

    loss, *gradients = tf.function(lambda: strategy.run(replica))()
    raised = ""
    if job.options.get("fit"):
        import keras

        try:
            with strategy.scope():
                model = keras.Sequential([keras.Input(job.x.shape[1:]), keras.layers.Dense(10)])
                model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            model.fit(job.x[job.own()], job.y[job.own()], verbose=0)
        except Exception as error:
            raised = type(error).__name__
    job.finish(float(loss), [g.numpy() for g in gradients], replicas=strategy.num_replicas_in_sync, fit_raises=raised)


if __name__ == "__main__":
    main(read())
