import numpy as np
import pytest

from patronage.models.fitting import MAX_STEPS, Evaluation, maximise


def bowl(at):
    """Peak at (1, -2), narrow in one direction."""
    away, bend = at - np.array([1.0, -2.0]), np.array([[1.0, 0.99], [0.99, 1.0]])
    return Evaluation(-0.5 * away @ bend @ away, -bend @ away, -bend)


def double_well(at):
    """Convex at 0, where plain Newton steps climb down; peaks at -1 and 1."""
    value = 0.5 * at[0] ** 2 - 0.25 * at[0] ** 4
    return Evaluation(value, at - at**3, np.array([[1 - 3 * at[0] ** 2]]))


def levelling_off(at):
    """No peak: 1 - exp(-u) grows for ever."""
    rest = np.exp(-at[0])
    return Evaluation(1 - rest, np.array([rest]), np.array([[-rest]]))


def test_a_parabola_takes_a_step_and_rounding():
    optimum = maximise(bowl, np.zeros(2))
    assert optimum.log_params == pytest.approx((1, -2), rel=1e-12)
    assert (optimum.settled, optimum.flat) == (True, False)
    assert optimum.steps <= 2


def test_steps_climb_out_of_a_dip():
    assert maximise(double_well, np.array([0.01])).log_params == pytest.approx([1], rel=1e-12)


def test_a_likelihood_without_peak_is_flat():
    optimum = maximise(levelling_off, np.zeros(1))
    assert (optimum.settled, optimum.flat) == (True, True)


def test_a_climb_without_end_is_given_up():
    def slope(at):
        return Evaluation(at[0], np.ones(1), np.zeros((1, 1)))

    optimum = maximise(slope, np.zeros(1))
    assert (optimum.settled, optimum.steps) == (False, MAX_STEPS - 1)


def test_a_likelihood_that_cannot_gain_is_given_up():
    def broken(at):
        return Evaluation(-abs(at[0]), np.ones(1), -np.eye(1))

    optimum = maximise(broken, np.zeros(1))
    assert (optimum.settled, optimum.log_params.tolist()) == (False, [0.0])


def test_a_last_step_whose_error_is_below_rounding_is_not_looked_at():
    asked = []

    def counted(at):
        asked.append(at[0])
        return double_well(at)

    optimum = maximise(counted, np.array([1 + 1e-6]))
    assert optimum.log_params[0] == 1
    assert len(asked) == 2
    assert maximise(counted, np.array([1.1]), tolerance=0.1).log_params == pytest.approx(
        [1], rel=0.02
    )


def test_a_gain_that_rounding_hides_shows_in_the_gradient():
    rng = np.random.default_rng(0)

    def noisy(at):
        found = bowl(at)
        return found._replace(value=found.value + 1e-12 * rng.standard_normal())

    optimum = maximise(noisy, np.array([1 + 1e-7, -2 + 1e-7]))
    assert optimum.settled
    assert optimum.log_params == pytest.approx((1, -2), rel=1e-12)
