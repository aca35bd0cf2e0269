"""One of two processes of `test_two_processes_train_to_the_state_of_one`: `folder port rank`."""

import sys

import jax
import numpy as np


def train(mode, rank):
    """Three steps in which each process brings its own half of the rows only."""
    axis_name = parallel.axis_name_of(mode)
    init, table = game(axis_name)
    mesh = parallel.make_mesh()
    run = parallel.parallelize(make_train_step(table, SGD, ema=EMA, axis_name=axis_name), mode, mesh)
    state, key = parallel.place_state((init(jax.random.key(0)), toy.RNG), mesh)
    for t in range(3):
        half = {"x": np.asarray(toy.batch(32, seed=t)["x"])[rank * 16 : (rank + 1) * 16]}
        state, metrics = run(state, parallel.place_batch(half, mesh), key)
    return [np.asarray(leaf.addressable_data(0)) for leaf in jax.tree.leaves((state, metrics))]


if __name__ == "__main__":
    folder, port, rank = sys.argv[1], sys.argv[2], int(sys.argv[3])
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=2, process_id=rank)

    # After the start of the cluster: these make arrays when imported.
    from jaxgan.game import make_train_step, parallel
    from tests.game import toy
    from tests.game.test_parallel import EMA, MODES, SGD, game

    for mode in MODES:
        np.savez(f"{folder}/{mode}{rank}.npz", *train(mode, rank))
