"""The quick decorator makes what the standard one makes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from venvman.model import frozen

standard: Any = dataclasses.dataclass
quick: Any = frozen.dataclass
BOTH = pytest.mark.parametrize("dataclass", [standard, quick], ids=["standard", "quick"])


@frozen.dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Of the module, so that it can be pickled."""

    name: str
    version: str | None = None
    hashes: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)
    notes: list[str] = field(default_factory=list, repr=False, compare=False)


def made(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Pin:
        """A doc."""

        name: str
        version: str | None = None
        line: int = field(default=0, compare=False)
        notes: list[str] = field(default_factory=list, repr=False, compare=False)

    return Pin


@BOTH
class TestAsTheStandardOne:
    def test_values_are_equal_by_their_compared_fields(self, dataclass: Any) -> None:
        kind = made(dataclass)
        assert kind(name="a", line=1) == kind(name="a", line=2)
        assert kind(name="a") != kind(name="b")
        assert kind(name="a") != made(dataclass)(name="a")
        assert hash(kind(name="a", line=1)) == hash(kind(name="a", line=2))

    def test_nothing_can_be_assigned_or_deleted(self, dataclass: Any) -> None:
        pin = made(dataclass)(name="a")
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
            pin.name = "b"
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
            del pin.name
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            pin.other = 1

    def test_what_has_no_default_must_be_given_by_name(self, dataclass: Any) -> None:
        kind = made(dataclass)
        with pytest.raises(TypeError, match=r"missing 1 required keyword-only argument: 'name'"):
            kind()
        with pytest.raises(TypeError, match=r"takes 1 positional argument but 2 were given"):
            kind("a")
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'label'"):
            kind(label="a")

    def test_fields_replace_and_copies_work(self, dataclass: Any) -> None:
        pin = made(dataclass)(name="a", line=3)
        assert [each.name for each in dataclasses.fields(pin)] == [
            "name", "version", "line", "notes",
        ]  # fmt: skip
        assert dataclasses.replace(pin, version="1").line == 3
        assert copy.copy(pin) == copy.deepcopy(pin) == pin
        assert dataclasses.asdict(pin)["line"] == 3

    def test_a_derived_class_has_the_fields_of_both(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Base:
            """A doc."""

            name: str

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Derived(Base):
            """A doc."""

            line: int = 0

        assert repr(Derived(name="a")).endswith("Derived(name='a', line=0)")
        assert Derived(name="a") == Derived(name="a")
        assert Derived(name="a") != Base(name="a")


def test_values_can_be_pickled() -> None:
    pin = Pin(name="a", version="1", line=4, notes=["x"])
    again = pickle.loads(pickle.dumps(pin))
    assert again == pin
    assert (again.line, again.notes) == (4, ["x"])
