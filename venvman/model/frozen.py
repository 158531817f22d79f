"""The dataclasses of this package, made in a quarter of the time that the standard library takes.

A command imports a hundred and more of them, and :func:`dataclasses.dataclass` compiles six methods
for each: together a fifth of a small command's time. Only ``__init__`` needs to be compiled; the
others are the same for all, and are shared here. Type checkers see the standard decorator, and what
comes out is a standard dataclass to ``fields``, ``replace``, ``match`` and ``pickle``.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass  # noqa: TID251 - what type checkers shall see
else:
    standard = dataclasses.dataclass  # noqa: TID251 - what this is made of

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Callable[[type], type]:
        """As :func:`dataclasses.dataclass`; quick for frozen classes with slots."""
        if not (frozen and slots):
            return standard(frozen=frozen, slots=slots, kw_only=kw_only)
        begin = standard(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)

        def make(cls: type) -> type:
            return _freeze(begin(cls))

        return make


def _freeze(cls: Any) -> Any:  # noqa: ANN401 - a class that is being made
    """Gives ``cls``, a dataclass without methods, those of a frozen one; its own ones stay."""
    own = vars(cls)
    fields = dataclasses.fields(cls)
    compared = [each.name for each in fields if each.compare]
    cls.__compared__ = attrgetter(*compared) if compared else staticmethod(_nothing)
    cls.__init__ = _init_of(cls, fields)
    if own.get("__hash__") is None:  # Python puts None where only __eq__ is written
        cls.__hash__ = _hash
    if "__eq__" not in own:
        cls.__eq__ = _eq
    if "__repr__" not in own:
        cls.__repr__ = _repr
    cls.__setattr__ = _refuse_to_assign
    cls.__delattr__ = _refuse_to_delete
    cls.__getstate__ = _getstate
    cls.__setstate__ = _setstate
    return cls


def _init_of(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:  # noqa: ANN401
    """``__init__`` as :mod:`dataclasses` writes it, but slots are filled by their descriptors."""
    names: dict[str, Any] = {"_MISSING": dataclasses.MISSING}
    ordered: dict[bool, list[str]] = {False: [], True: []}
    body = []
    for each in fields:
        if not each.init:
            continue  # __post_init__ fills it
        name = each.name
        parameter = value = name
        names[f"_set_{name}"] = getattr(cls, name).__set__
        if each.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = each.default
            parameter = f"{name}=_default_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            names[f"_make_{name}"] = each.default_factory
            parameter = f"{name}=_MISSING"
            value = f"_make_{name}() if {name} is _MISSING else {name}"
        ordered[bool(each.kw_only)].append(parameter)
        body.append(f"  _set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("  self.__post_init__()")
    keywords = ["*", *ordered[True]] if ordered[True] else []
    head = f"def __init__({', '.join(['self', *ordered[False], *keywords])}):"
    exec("\n".join([head, *(body or ["  pass"])]), names)  # noqa: S102 - as dataclasses does
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _nothing(_self: object) -> tuple[()]:
    return ()


def _eq(self: Any, other: Any) -> Any:  # noqa: ANN401 - of any class
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__compared__(self) == other.__compared__(other)


def _hash(self: Any) -> int:  # noqa: ANN401 - of any class
    return hash(self.__compared__(self))


def _repr(self: Any) -> str:  # noqa: ANN401 - of any class
    shown = (
        f"{each.name}={getattr(self, each.name)!r}"
        for each in dataclasses.fields(self)
        if each.repr
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_assign(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:  # noqa: ANN401 - of any class
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _setstate(self: Any, state: list[object]) -> None:  # noqa: ANN401 - of any class
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
