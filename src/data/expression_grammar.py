"""What may stand in an expression of the settings, and what its parts say of each other."""

from collections.abc import Iterable
from typing import Any, Literal

from sqlglot import exp

Role = Literal["number", "text", "boolean", "constant", "time"]

ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv, exp.Neg)
NUMERIC = (exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign)
_COUNTING = (exp.Length, exp.StrPosition, exp.Year, exp.Month)
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
CHOICES = (exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Case, exp.If)
CONDITIONS = (
    *(*COMPARISONS, exp.And, exp.Or, exp.Not, exp.Is, exp.Like, exp.ILike, exp.Boolean),
    *(exp.StartsWith, exp.EndsWith, exp.Contains, exp.RegexpLike),
)
_TEXT = (
    *(exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Concat, exp.DPipe),
    *(exp.Replace, exp.Cast, exp.TryCast, exp.Escape),
)
_PARTS = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Paren, exp.Var),
    *(exp.DataType, exp.DataTypeParam),
)
ALLOWED = {*ARITHMETIC, *NUMERIC, *_COUNTING, *CHOICES, *CONDITIONS, *_TEXT, *_PARTS}


def operands(node: Any) -> Iterable[Any]:
    """The parts of a node whose values meet in it."""
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        return [part for part in (*branches, node.args.get("default")) if part is not None]
    if isinstance(node, exp.If):
        return [part for part in (node.args["true"], node.args.get("false")) if part is not None]
    if isinstance(node, (*NUMERIC, exp.Cast)):
        return [node.this]
    return list(node.iter_expressions())


def is_number(node: Any) -> bool:
    """Whether the node is a number wherever it stands."""
    if isinstance(node, exp.Literal):
        return not node.is_string
    if isinstance(node, (exp.Paren, *CHOICES)):
        return any(is_number(operand) for operand in operands(node))
    if isinstance(node, exp.Cast):
        return bool(node.to.this in exp.DataType.NUMERIC_TYPES)
    return isinstance(node, ARITHMETIC + NUMERIC + _COUNTING)


def is_time(node: Any) -> bool:
    """Whether the node is cast to a time."""
    return isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEMPORAL_TYPES


def cast_role(node: Any) -> Role:
    """What the operand of a cast, or of `year` and `month`, is read as."""
    if is_number(node) and isinstance(node, exp.Cast):
        return "number"
    return "time" if is_time(node) or isinstance(node, (exp.Year, exp.Month)) else "text"


def in_arithmetic(node: Any) -> bool:
    """Whether the value goes into arithmetic, or into a numeric function."""
    parent = node.parent
    while isinstance(parent, (exp.Paren, *CHOICES)):
        parent = parent.parent
    return isinstance(parent, ARITHMETIC + NUMERIC)
