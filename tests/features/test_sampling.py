import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patronage.errors import SettingsError
from patronage.features.sampling import drawn

IDS = pd.Index([f"c{number}" for number in range(20_000)])


def names(ids, sample, seed=1):
    return set(ids[drawn(ids, sample, seed=seed)])


def test_the_draw_is_the_same_on_every_machine_and_release():
    assert drawn(IDS[:30], 0.2, seed=1).tolist() == [1, 11, 22]
    assert drawn(IDS[:30], 3, seed=2).tolist() == [3, 5, 8]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_share_is_that_share(share):
    n = drawn(IDS, share, seed=1).size
    assert abs(n - share * len(IDS)) < 4 * np.sqrt(share * (1 - share) * len(IDS))


def test_seeds_draw_independently():
    both = names(IDS, 0.1, seed=1) & names(IDS, 0.1, seed=2)
    assert len(both) == pytest.approx(0.01 * len(IDS), rel=0.35)


ids = st.lists(st.text(max_size=8), unique=True, max_size=40).map(
    lambda a: pd.Index(a, dtype="str")
)
shares = st.floats(0.01, 1)


@given(ids=ids, more=ids, share=shares, seed=st.integers(0, 2**53))
def test_who_is_drawn_does_not_depend_on_who_else_is_there(ids, more, share, seed):
    everyone = ids.append(more.difference(ids))
    assert names(everyone, share, seed) & set(ids) == names(ids, share, seed)


@given(ids=ids, share=shares, larger=shares)
def test_a_larger_share_holds_the_smaller(ids, share, larger):
    assert names(ids, min(share, larger)) <= names(ids, max(share, larger))


@given(ids=ids, more=ids, number=st.integers(1, 30))
def test_a_number_is_that_many_and_who_comes_later_brings_back_none(ids, more, number):
    everyone = ids.append(more.difference(ids))
    assert len(names(ids, number)) == min(number, len(ids))
    assert names(everyone, number) & set(ids) <= names(ids, number)


def test_all_are_a_share_and_places_are_in_order():
    assert drawn(IDS, 1.0, seed=1).tolist() == list(range(len(IDS)))
    assert (np.diff(drawn(IDS, 500, seed=3)) > 0).all()


def test_numbers_as_ids_are_drawn_as_their_text():
    numbers = pd.Index(range(500))
    assert (drawn(numbers, 0.3, seed=1) == drawn(numbers.astype(str), 0.3, seed=1)).all()


@pytest.mark.parametrize(
    ("sample", "seed", "message"),
    [
        (0, 1, "sample=0 is neither a share"),
        (1.5, 1, "sample=1.5 is neither a share"),
        (0.0, 1, "sample=0.0 is neither a share"),
        (0.5, -1, "seed=-1 must lie between 0"),
    ],
)
def test_no_sample_is_refused(sample, seed, message):
    with pytest.raises(SettingsError, match=message):
        drawn(IDS, sample, seed=seed)
