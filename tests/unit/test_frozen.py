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

    def test_a_value_shows_its_fields(self, dataclass: Any) -> None:
        shown = repr(made(dataclass)(name="a"))

        assert shown == "made.<locals>.Pin(name='a', version=None, line=0)"

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

    def test_every_value_has_a_list_of_its_own(self, dataclass: Any) -> None:
        kind = made(dataclass)

        assert kind(name="a").notes is not kind(name="a").notes

    def test_fields_replace_and_copies_work(self, dataclass: Any) -> None:
        pin = made(dataclass)(name="a", line=3)

        assert [each.name for each in dataclasses.fields(pin)] == [
            "name", "version", "line", "notes",
        ]  # fmt: skip
        assert dataclasses.replace(pin, version="1").line == 3
        assert copy.copy(pin) == copy.deepcopy(pin) == pin
        assert dataclasses.asdict(pin)["line"] == 3

    def test_positions_can_be_given_and_matched(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True)
        class Place:
            """A doc."""

            path: str
            line: int = 1

        match Place("a", 2):
            case Place(path, line):
                assert (path, line) == ("a", 2)
        assert Place("a") == Place("a", 1)

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

    def test_methods_that_a_class_has_stay(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True)
        class Loud:
            """A doc."""

            word: str

            def __eq__(self, other: object) -> bool:
                return isinstance(other, Loud) and self.word.upper() == other.word.upper()

            def __hash__(self) -> int:
                return 7

            def __repr__(self) -> str:
                return self.word.upper()

        assert Loud("a") == Loud("A")
        assert (hash(Loud("a")), repr(Loud("a"))) == (7, "A")

    def test_what_is_left_to_post_init_is_filled_by_it(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True)
        class Squared:
            """A doc."""

            side: int
            area: int = field(init=False)

            def __post_init__(self) -> None:
                object.__setattr__(self, "area", self.side**2)

        assert Squared(3).area == 9

    def test_a_class_without_fields_has_equal_values(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Keep:
            """A doc."""

        assert Keep() == Keep()
        assert hash(Keep()) == hash(Keep())
        assert repr(Keep()).endswith("Keep()")


def test_values_can_be_pickled() -> None:
    pin = Pin(name="a", version="1", line=4, notes=["x"])

    again = pickle.loads(pickle.dumps(pin))

    assert again == pin
    assert (again.line, again.notes) == (4, ["x"])


def test_other_kinds_of_dataclasses_are_the_standard_one_s() -> None:
    @quick(slots=True)
    class Count:
        """A doc."""

        number: int = 0

    kind: Any = Count
    count = kind()
    count.number += 1

    assert count == kind(1)
