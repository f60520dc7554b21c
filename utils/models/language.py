"""Train language models, measure what a text costs them in bits, and let them write."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from utils import settings
from utils.backend import keras, set_seed
from utils.models.gpt import GPT
from utils.models.seq2seq import log_softmax

WARM_UP = 100  # steps in which the learning rate rises from 0


def lstm_language_model(vocabulary: int, width: int = 128, units: int = 256) -> keras.Model:
    """Build the recurrent counterpart of a GPT: an embedding, an LSTM and the scores.

    Parameters
    ----------
    vocabulary
        How many different tokens.
    width
        Numbers of an embedded token.
    units
        Units of the LSTM.

    Returns
    -------
    keras.Model
        Maps whole numbers (batch, time) to logits (batch, time, vocabulary): those at a place score the token after it.
    """
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(vocabulary, width)(tokens)
    x = keras.layers.LSTM(units, return_sequences=True)(x)
    return keras.Model(tokens, keras.layers.Dense(vocabulary)(x))


def fit(
    model: keras.Model,
    tokens: np.ndarray,
    steps: int,
    length: int = 128,
    batch_size: int = 16,
    learning_rate: float = 0.003,
    seed: int = 0,
    after_step: Callable[[int], None] | None = None,
) -> list[float]:
    """Train on stretches of a text, drawn at random, to predict each next token.

    Parameters
    ----------
    model
        Maps whole numbers (batch, time) to logits (batch, time, vocabulary). Trained in place.
    tokens
        The text, whole numbers (tokens,).
    steps
        Updates by Adam; the norm of all gradients together is cut at 1.
    length
        Tokens of a stretch; each but the first of all is predicted from those of the stretch before it.
    batch_size
        Stretches a step.
    learning_rate
        The highest: it rises to it over 100 steps, or a tenth of all, and falls to 0 along half a cosine.
    seed
        Seed of the stretches.
    after_step
        Called with the number of steps done.

    Returns
    -------
    list of float
        Mean loss of each step's batch before the step, in nats a token.

    Raises
    ------
    ValueError
        If the text is no longer than a stretch.
    """
    if len(tokens) <= length:
        raise ValueError(f"The text has {len(tokens)} tokens: a stretch of {length} needs at least {length + 1}.")
    set_seed(seed)
    generator = np.random.default_rng(seed)
    rising = min(WARM_UP, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps - rising, warmup_target=learning_rate, warmup_steps=rising)
    model.compile(
        # The running mean of the squares forgets faster than by default, as is usual for language models.
        keras.optimizers.Adam(rate, beta_2=0.95, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = []
    with tqdm(total=steps, unit="step", leave=False, disable=settings.quiet()) as bar:
        for step in range(steps):
            starts = generator.integers(0, len(tokens) - length, batch_size)
            stretches = tokens[starts[:, None] + np.arange(length + 1)]  # (batch, length + 1)
            model.reset_metrics()
            losses.append(float(model.train_on_batch(stretches[:, :-1], stretches[:, 1:])))
            if after_step is not None:
                after_step(step + 1)
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
            bar.update()
    return losses


def bits(model: keras.Model, tokens: np.ndarray, length: int = 128, batch_size: int = 32) -> np.ndarray:
    """Return what each token after the first costs a model: the logarithm to base 2 of one over its probability.

    Parameters
    ----------
    model
        As in :func:`fit`.
    tokens
        A text, whole numbers (tokens,), at least two.
    length
        Tokens that the model reads at once, at least two. The windows overlap by half: all tokens but those of the
        first window are predicted from at least half as many.
    batch_size
        Windows at once.

    Returns
    -------
    numpy.ndarray
        float64, shape (tokens - 1,).
    """
    half = length // 2
    starts = np.arange(0, max(len(tokens) - 1 - (length - half), 1), half)  # the last window reaches the end
    places = np.minimum(starts[:, None] + np.arange(length + 1), len(tokens) - 1)  # what is beyond it is not kept
    kept = []
    for first in range(0, len(starts), batch_size):
        windows = tokens[places[first : first + batch_size]]
        steps = log_softmax(model.predict_on_batch(windows[:, :-1]))
        kept.append(np.take_along_axis(steps, windows[:, 1:, None], axis=2)[:, :, 0])
    nats = -np.concatenate(kept)  # (windows, length)
    fresh = np.concatenate([nats[0, : length - half], nats[:, length - half :].ravel()])
    return fresh[: len(tokens) - 1] / np.log(2)


def write(
    gpt: GPT, prompt: np.ndarray, count: int, choose: Callable[[np.ndarray], np.ndarray], cached: bool = True
) -> np.ndarray:
    """Let a model go on with texts, token by token.

    Parameters
    ----------
    gpt
        Trained or not.
    prompt
        Beginnings of equal length, whole numbers (batch, time), at least one token each.
    count
        Tokens to write; prompt and these must fit into ``gpt.shape.length``.
    choose
        Maps the logits of the next token, float64 (batch, vocabulary), to tokens (batch,).
    cached
        Keep keys and values of all tokens and compute only those of the new one; else run the model over everything,
        padded at the end to its full length, for each token. Both write the same.

    Returns
    -------
    numpy.ndarray
        Whole numbers (batch, time + count).

    Raises
    ------
    ValueError
        If there is no prompt or the text would become too long.
    """
    batch, time = prompt.shape
    if not 1 <= time <= gpt.shape.length - count:
        raise ValueError(
            f"A prompt of {time} tokens and {count} more do not fit a model of {gpt.shape.length}: start with at "
            "least one token, and shorten one or the other."
        )
    written = np.zeros((batch, gpt.shape.length), "int32")
    written[:, :time] = prompt
    past, place = gpt.empty(batch), 0
    for end in range(time, time + count):
        if cached:
            inputs = {"tokens": written[:, place:end], "place": np.array(place, "int32"), "past": past}
            logits, past = gpt.predict_on_batch(inputs)
            logits, place = logits[:, -1], end
        else:
            logits = gpt.predict_on_batch(written)[:, end - 1]
        written[:, end] = choose(np.asarray(logits, float))
    return written[:, : time + count]
