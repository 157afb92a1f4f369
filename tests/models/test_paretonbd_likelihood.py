import numpy as np
import pytest

from patronage.models.groups import TimingGroups
from patronage.models.paretonbd_likelihood import ParetoNBDLikelihood

# mpmath, 40 digits: r, alpha, s, beta; x, t_x, T; log-likelihood.
GOLDEN = [
    ((0.553, 10.578, 0.606, 11.669), (2, 30.43, 38.86), -9.554283245150407),
    ((5.0, 0.5, 0.5, 10000.0), (200, 20.0, 30.0), 246.43979959650014),
    ((0.553, 10.578, 1.0, 11.669), (5000, 38.9, 39.0), 18068.552831851623),
    ((0.001, 1000.0, 1000.0, 0.001), (1, 0.5, 5000.0), -6230.422112519497),
    ((1000.0, 0.001, 0.001, 1000.0), (50, 10.0, 12.0), -8997.459971916882),
    ((0.2, 200.0, 1.000000001, 0.05), (0, 0.0, 300.0), -0.00038237714175822076),
    ((30.0, 4.0, 300.0, 90.0), (10, 3.0, 3.0), -10.709800682037624),
    ((0.01, 0.02, 2.0, 700.0), (7, 100.0, 4000.0), -33.84019770894758),
]


def groups(rows, weight=None):
    x, t_x, T = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    weight = np.ones(len(rows)) if weight is None else np.array(weight, dtype=float)
    return TimingGroups(x, t_x, T, weight, 1.0)


@pytest.mark.parametrize(("params", "customer", "expected"), GOLDEN)
def test_log_likelihood(params, customer, expected):
    found = ParetoNBDLikelihood(groups([customer]))(np.log(params))
    assert found.value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("params", "_", "__"), GOLDEN)
def test_customers_share_tables_without_a_trace(params, _, __):
    """Many customers of one frequency: the same sum as each by herself."""
    rng = np.random.default_rng(0)
    T = rng.integers(20, 40, 60) / 7
    x = rng.choice([0, 1, 2, 50], 60)
    t_x = np.where(x > 0, T * rng.choice([0.25, 0.5, 0.9, 1.0], 60), 0)
    weight = rng.integers(1, 5, 60)
    rows = list(zip(x, t_x, T, strict=True))
    at = np.log(params)
    together = ParetoNBDLikelihood(groups(rows, weight))(at)
    alone = [ParetoNBDLikelihood(groups([row]))(at) for row in rows]
    share = weight / weight.sum()
    assert together.value == pytest.approx(share @ [one.value for one in alone], rel=1e-12)
    gradient = share @ [one.gradient for one in alone]
    np.testing.assert_allclose(together.gradient, gradient, rtol=1e-9, atol=1e-9)
    hessian = np.tensordot(share, [one.hessian for one in alone], 1)
    scale = np.abs(hessian).max()
    np.testing.assert_allclose(together.hessian, hessian, rtol=1e-9, atol=1e-9 * scale)


SETS = [np.empty((1, 0)), np.array([[0.3, -1.0], [1.2, 0.5], [-0.7, 0.1]])]


@pytest.mark.parametrize("covariates", SETS, ids=["without covariates", "with covariates"])
def test_derivatives_are_exact(covariates):
    rng = np.random.default_rng(3)
    x = rng.poisson(2, 30) * rng.integers(0, 2, 30)
    T = rng.uniform(5, 40, 30)
    rows = list(zip(x, np.where(x > 0, T * rng.random(30), 0), T, strict=True))
    label = rng.integers(0, len(covariates), 30)
    likelihood = ParetoNBDLikelihood(groups(rows), label, covariates)
    at = np.append(np.log([0.6, 9.0, 0.7, 14.0]), rng.normal(0, 0.3, 2 * covariates.shape[1]))
    found, h = likelihood(at), 1e-5
    around = [(likelihood(at + h * e), likelihood(at - h * e)) for e in np.eye(len(at))]
    slopes = [(up.value - down.value) / (2 * h) for up, down in around]
    bends = [(up.gradient - down.gradient) / (2 * h) for up, down in around]
    np.testing.assert_allclose(found.gradient, slopes, atol=1e-8)
    np.testing.assert_allclose(found.hessian, bends, atol=1e-8)


def test_parameters_out_of_reach_are_refused_quietly():
    found = ParetoNBDLikelihood(groups([(1, 2, 3)]))(np.array([0, 1000.0, 0, 0]))
    assert found.value == -np.inf
