import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laboratory import claims, watched


# Oracle: by hand. Ranks only: any rising curve of x has correlation 1, one exchanged pair of three 1/2.
def test_spearman():
    x = np.array([0.1, 3.0, 2.0, 7.0])
    assert watched.spearman(x, np.exp(x)) == pytest.approx(1)
    assert watched.spearman(x, -(x**3)) == pytest.approx(-1)
    assert watched.spearman(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(0.5)


# Oracle: closed form. A set moved by v lies |u.v| away along u, on average over the circle 2/pi |v|.
def test_sliced_distance_of_a_shift():
    x = jax.random.normal(jax.random.key(0), (50, 2))
    moved = x[::-1] + jnp.array([3.0, 4.0])
    distances = [watched.sliced_distance(x, moved, jax.random.key(seed)) for seed in range(20)]
    assert np.mean(distances) == pytest.approx(2 / np.pi * 5, rel=0.05)
    assert float(watched.sliced_distance(x, x[::-1], jax.random.key(0))) < 1e-6


# Oracle: Goodfellow et al. 2014, section 3. The slopes of the two losses by a logit are D and 1 - D of the fake, so the
# better D, the smaller the first beside the second; and BCE's estimate of the distance never exceeds log 4.
def test_a_good_discriminator_starves_the_saturating_generator():
    seen = watched.starvation(seeds=2, steps=2000, every=1000)
    assert seen["accuracy"].shape == (2, 3)
    assert (seen["accuracy"][:, -1] > seen["accuracy"][:, 0]).all()
    ratio = seen["minimax"] / seen["non_saturating"]
    assert (ratio[:, -1] < ratio[:, 0] / 2).all()


def test_curves_of_an_estimate_and_a_distance():
    curves = watched.critic_curves(watched.WAYS["BCE"], seeds=2, steps=20, measurements=2)
    assert curves["estimate"].shape == curves["distance"].shape == (2, 2)
    assert (curves["estimate"] <= np.log(4)).all()
    assert (curves["distance"] > 0).all()


# Oracle: by hand, two of four modes more and one less.
def test_gains_are_differences_of_the_same_game():
    def row(task, remedy, loss, covered):
        return {"task": task, "remedy": remedy, "loss": loss, "penalty": "r1", "covered": covered}

    rows = [row("ring", "none", "a", 1.0), row("ring", "none", "b", 3.0), row("grid", "packing_2", "a", 9.0)]
    rows += [row("ring", "packing_2", "a", 3.0), row("ring", "packing_2", "b", 2.0), row("ring", "top_k", "a", 4.0)]
    np.testing.assert_allclose(claims.gains(rows, "ring", 4, "packing_2"), [50, -25])


# Oracle: closed forms at a fixed product of rates: without a penalty the ratio changes nothing.
def test_only_the_product_of_rates_matters_without_a_penalty(tmp_path):
    rows = claims.two_time_scales(tmp_path)
    assert (tmp_path / "mode_collapse_claim_d.png").stat().st_size < 80_000
    found = {
        name: [row["mean"] for row in rows if row["case"].startswith(name)]
        for name in ("simultaneous, no", "alternating, no")
    }
    np.testing.assert_allclose(found["simultaneous, no"], np.sqrt(1 + 0.01 / 4))
    np.testing.assert_allclose(found["alternating, no"], 1)
