"""A booster's raw score by a compiled walk through its trees: equal to LightGBM's, but faster.

Sixteen rows go down a tree abreast for as many steps as the tree is deep; a leaf leads to itself.
Without a branch to guess, the processor works on all of them at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from patronage.compiling import compiled

ABREAST = 16


@dataclass(frozen=True)
class Node:
    """A split, or a leaf, whose children are itself."""

    feature: int = 0
    threshold: float = np.inf
    missing_right: bool = False
    value: float = 0.0


class TreeWalk:
    """The trees of a booster as flat arrays."""

    def __init__(self, booster: lgb.Booster) -> None:
        self._nodes: list[Node] = []
        self._children: list[list[int]] = []
        trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
        self._depths = np.array([_depth(tree) for tree in trees], dtype=np.int32)
        self._roots = np.array([self._add(tree) for tree in trees], dtype=np.int32)
        self._children_flat = np.array(self._children, dtype=np.int32).ravel()
        self._features = np.array([one.feature for one in self._nodes], dtype=np.int32)
        self._missing = np.array([one.missing_right for one in self._nodes], dtype=np.int32)
        self._values = np.array([one.value for one in self._nodes])
        thresholds = np.array([one.threshold for one in self._nodes])
        self._thresholds = {np.dtype("f8"): thresholds, np.dtype("f4"): _not_above(thresholds)}

    @staticmethod
    def can(booster: lgb.Booster) -> bool:
        """Whether all splits are of numbers, and zero counts as a number."""
        trees = booster.dump_model()["tree_info"]
        return all(_plain(tree["tree_structure"]) for tree in trees)

    def raw_score(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """What `Booster.predict(x, raw_score=True)` gives, to the last bit.

        Parameters
        ----------
        x
            Shape (rows, features), rows contiguous, of float32 or float64; NaN is missing.
        """
        out = np.zeros(len(x))
        _walk(
            x,
            self._features,
            self._thresholds[x.dtype],
            self._missing,
            self._children_flat,
            self._values,
            self._roots,
            self._depths,
            out,
        )
        return out

    def _add(self, tree: Mapping[str, Any]) -> int:
        """Append a node and all below it; gives its place."""
        place = len(self._nodes)
        self._nodes.append(_node(tree))
        self._children.append([place, place])
        if "split_feature" in tree:
            self._children[place] = [
                self._add(tree[side]) for side in ("left_child", "right_child")
            ]
        return place


def _node(tree: Mapping[str, Any]) -> Node:
    if "split_feature" not in tree:
        return Node(value=tree["leaf_value"])
    as_zero = tree["missing_type"] == "None"  # LightGBM takes NaN for 0 where it never saw one
    right = tree["threshold"] < 0 if as_zero else not tree["default_left"]
    return Node(tree["split_feature"], tree["threshold"], right)


def _depth(tree: Mapping[str, Any]) -> int:
    if "split_feature" not in tree:
        return 0
    return 1 + max(_depth(tree["left_child"]), _depth(tree["right_child"]))


def _plain(tree: Mapping[str, Any]) -> bool:
    if "split_feature" not in tree:
        return True
    here = tree["decision_type"] == "<=" and tree["missing_type"] in ("NaN", "None")
    return here and _plain(tree["left_child"]) and _plain(tree["right_child"])


def _not_above(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The greatest float32 not above each: a float32 lies on the same side of both."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


@compiled()
def _walk(
    x: NDArray[Any],
    features: NDArray[np.int32],
    thresholds: NDArray[Any],
    missing: NDArray[np.int32],
    children: NDArray[np.int32],
    values: NDArray[np.float64],
    roots: NDArray[np.int32],
    depths: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None:
    node = np.empty(ABREAST, np.int32)
    for first in range(0, len(x), ABREAST):
        rows = min(ABREAST, len(x) - first)
        for tree in range(len(roots)):
            for k in range(rows):
                node[k] = roots[tree]
            for _ in range(depths[tree]):
                for k in range(rows):
                    at = node[k]
                    v = x[first + k, features[at]]
                    right = np.int32(v > thresholds[at]) | (np.int32(v != v) & missing[at])
                    node[k] = children[2 * at + right]
            for k in range(rows):
                out[first + k] += values[node[k]]
