"""Values of metrics of features by independent libraries, for tests/metrics.

Command: python -m experiments.goldens.make_feature_golden > tests/metrics/fixtures/feature_metrics.json
Needs torch-fidelity 0.4.0, torchmetrics 1.9, prdc 0.2, POT 0.9.7, scikit-learn 1.9, SciPy 1.17; seconds on a CPU.
"""

import contextlib
import json
import sys
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock

import numpy as np
import ot
import torch
from prdc import compute_prdc
from scipy import linalg
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from tests.metrics import feature_sets

# torch-fidelity imports torchvision for its extractors; the functions below take features and never call it.
for name in ("", ".transforms", ".transforms.functional", ".datasets", ".models"):
    module = f"torchvision{name}"
    sys.modules.setdefault(module, MagicMock(__spec__=ModuleSpec(module, None), __version__="0"))

from torch_fidelity.metric_isc import isc_features_to_metric  # noqa: E402
from torch_fidelity.metric_kid import kid_features_to_metric  # noqa: E402
from torch_fidelity.metric_prc import prc_features_to_metric  # noqa: E402
from torchmetrics.image.kid import poly_mmd  # noqa: E402


def nearest(real, fake, k):
    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(real).kneighbors(fake)


def authenticity(real, fake):
    own = nearest(real, real, 2)[0][:, 1]
    distances, rows = nearest(real, fake, 1)
    return 100 * float(np.mean(own[rows[:, 0]] < distances[:, 0]))


def vendi(fake, q):
    rows = normalize(fake)
    spectrum = linalg.eigvalsh(rows @ rows.T / len(rows))
    spectrum = spectrum[spectrum > 1e-14]
    if q == 1:
        return float(np.exp(-np.sum(spectrum * np.log(spectrum))))
    return float(np.sum(spectrum**q) ** (1 / (1 - q)))


def cmmd(real, fake, sigma):
    means = [rbf_kernel(a, b, gamma=1 / (2 * sigma**2)).mean() for a, b in ((real, real), (fake, fake), (real, fake))]
    return float(1000 * (means[0] + means[1] - 2 * means[2]))


def mind(real, fake):
    """On as many images of each side as the smaller has."""
    n, d = min(len(real), len(fake)), real.shape[1]
    directions = feature_sets.unit_directions(100, d)
    return 3 * d * float(ot.sliced_wasserstein_distance(real[:n], fake[:n], projections=directions.T)) ** 2


def values(sets):
    real, fake, logits = sets.double()
    x, y, n = torch.from_numpy(real), torch.from_numpy(fake), min(len(real), len(fake))
    quiet = {"verbose": False}
    kid = kid_features_to_metric(y, x, kid_subsets=20, kid_subset_size=60, **quiet)
    isc = isc_features_to_metric(torch.from_numpy(logits), splits=7, rng_seed=5)
    prc = prc_features_to_metric(y, x, prc_neighborhood=4, **quiet)
    with contextlib.redirect_stdout(sys.stderr):
        prdc = compute_prdc(real, fake, nearest_k=4)
    return {
        "kid_20_of_60": list(kid.values()),
        "mmd_first": float(poly_mmd(x[:n], y[:n])),
        "inception_score_7_seed_5": list(isc.values()),
        "precision_recall_f1_k4": list(prc.values()),
        "density_coverage_k4": [float(prdc["density"]), float(prdc["coverage"])],
        "authenticity": authenticity(real, fake),
        "nearest_3_of_first_5": nearest(real, fake, 3)[1][:5].tolist(),
        "nearest_distances_3_of_last_5": nearest(real, fake, 3)[0][-5:].tolist(),
        "vendi_1_2_half": [vendi(fake, q) for q in (1, 2, 0.5)],
        "cmmd_sigma_10": cmmd(real, fake, 10),
        "mind_first": mind(real, fake),
    }


if __name__ == "__main__":
    sets = {"golden": feature_sets.golden(), "wide": feature_sets.wide()}
    print(json.dumps({name: values(of) for name, of in sets.items()}, indent=1))
