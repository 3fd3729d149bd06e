"""The order of the chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.errors import ConfigError
from tobs.plugin.ordering import BANDS, OrderEntry, sort_plugins


def test_bands_come_before_after_and_after_before_names() -> None:
    places = [
        OrderEntry("zeta", "read"),
        OrderEntry("alpha", "finish"),
        OrderEntry("beta", "read", after=("zeta",)),
        OrderEntry("gamma", "describe", after=("alpha-that-is-not-there",)),
        OrderEntry("delta", "convert"),
        OrderEntry("aster", "read"),
    ]
    assert sort_plugins(places) == ["aster", "zeta", "beta", "delta", "gamma", "alpha"]


def test_plugins_that_wait_for_each_other_are_named() -> None:
    places = [
        OrderEntry("a", "read", ("c",)),
        OrderEntry("b", "read", ("a",)),
        OrderEntry("c", "read", ("b",)),
        OrderEntry("d", "read"),
    ]
    with pytest.raises(ConfigError) as caught:
        sort_plugins(places)
    assert {"a", "b", "c"} <= set(caught.value.message.rstrip(".").replace(":", " ").split())
    assert "d" not in caught.value.message.split()


def test_a_plugin_that_waits_for_itself_is_named() -> None:
    with pytest.raises(ConfigError, match="a -> a"):
        sort_plugins([OrderEntry("a", "read", ("a",))])


def test_waiting_for_a_later_band_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Plugin a \(read\) wants to run after b, which belongs to the later band"):
        sort_plugins([OrderEntry("a", "read", ("b",)), OrderEntry("b", "finish")])


@given(
    st.lists(st.tuples(st.sampled_from(BANDS), st.sets(st.integers(0, 11))), max_size=12),
    st.randoms(use_true_random=False),
)
def test_every_order_keeps_bands_and_after_whatever_order_they_were_found_in(shape, random) -> None:
    # Each one may wait for those of its own band or an earlier one that were made before it: no cycles.
    places = [
        OrderEntry(
            f"p{n}", band, tuple(f"p{m}" for m in after if m < n and BANDS.index(shape[m][0]) <= BANDS.index(band))
        )
        for n, (band, after) in enumerate(shape)
    ]
    order = sort_plugins(places)
    shuffled = list(places)
    random.shuffle(shuffled)
    assert sort_plugins(shuffled) == order
    assert sorted(order) == sorted(place.name for place in places)
    for place in places:
        assert all(order.index(name) < order.index(place.name) for name in place.after)
    bands = [BANDS.index(place.band) for name in order for place in places if place.name == name]
    assert bands == sorted(bands)
