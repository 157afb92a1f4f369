import numpy as np
import pytest
from scipy.special import betaln

from patronage.models.contract_likelihood import ContractLikelihood

KEPT, LOST = np.array([869.0, 743, 653, 0, 12]), np.array([131.0, 126, 90, 0, 3])


@pytest.mark.parametrize("c", [0.2, 1, 1.7])
def test_value_is_the_sum_over_lifetimes(c):
    alpha, beta = 0.67, 3.8
    time = np.arange(6.0)
    left = np.exp(betaln(alpha, beta + time**c * (time > 0)) - betaln(alpha, beta))
    rate = left[1:] / left[:-1]
    total = np.sum(KEPT * np.log(rate) + LOST * np.log(1 - rate))
    found = ContractLikelihood(KEPT, LOST, 1000)(np.log([alpha, beta, c]))
    assert found.value * 1000 == pytest.approx(total, rel=1e-12)


def test_two_parameters_are_three_with_c_1():
    likelihood = ContractLikelihood(KEPT, LOST, 1000)
    two, three = likelihood(np.array([0.3, -0.2])), likelihood(np.array([0.3, -0.2, 0.0]))
    assert two.value == three.value
    np.testing.assert_array_equal(two.gradient, three.gradient[:2])
    np.testing.assert_array_equal(two.hessian, three.hessian[:2, :2])


@pytest.mark.parametrize(
    "params", [(1.1, 1.6, 0.7), (0.3, 40, 1), (20, 150, 1.6), (0.05, 0.1, 0.4)]
)
def test_gradient_and_hessian_are_the_derivatives(params):
    likelihood = ContractLikelihood(KEPT, LOST, 1000)
    at, step = np.log(params), 1e-5
    found = likelihood(at)
    for i, axis in enumerate(np.eye(3) * step):
        up, down = likelihood(at + axis), likelihood(at - axis)
        slope = (up.value - down.value) / (2 * step)
        assert found.gradient[i] == pytest.approx(slope, abs=1e-8)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(found.hessian[i], bend, atol=1e-8)


@pytest.mark.parametrize("params", [(1e-9, 1e9, 1), (1e9, 1e-9, 1), (1, 1, 60), (1, 1, 1e-9)])
def test_finite_at_the_limits(params):
    found = ContractLikelihood(KEPT, LOST, 1000)(np.log(params))
    assert np.isfinite(found.value)
    assert np.isfinite(found.hessian).all()
