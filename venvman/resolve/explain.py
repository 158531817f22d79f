"""A conflict as the chain of requirements that make it, each with the line it comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, IndexFault, Problem, UnsatisfiableError, VenvmanError
from venvman.resolve.demand import IMPOSSIBLE
from venvman.resolve.limits import combined
from venvman.resolve.misfits import cure_of, reasons_of
from venvman.resolve.solver import Question, Unsolvable, solve
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.model.errors import FileLine
    from venvman.model.names import NormalizedName
    from venvman.requirements.file import Requirement
    from venvman.resolve.demand import Demand, Pin
    from venvman.resolve.supply import Shared

TRIALS = 60
"""So often it is tried whether a line can be left out of the conflict."""
ROUNDS = 2_000
"""Pins tried in each of them."""
SHOWN = 6
"""Versions that are listed before only the first and last are."""


class Explainer:
    """Explains why ``question`` has no answer."""

    def __init__(self, question: Question, shared: Shared) -> None:
        self._question = replace(question, kept={})
        self._supply = shared.supply
        self._shared = shared

    def explain(self, failure: Unsolvable) -> VenvmanError:
        """The error that says what contradicts what, or why no version of something will do.

        An :class:`UnsatisfiableError`; an :class:`IndexFault` for a name that no index knows.
        """
        failure = self._smallest(failure)
        return self._missing(failure) or self.contradiction(failure)

    def contradiction(self, failure: Unsolvable) -> UnsatisfiableError:
        """The error that says what contradicts what."""
        problems = tuple(dict.fromkeys(self._problems(failure)))
        return UnsatisfiableError(
            "The requirements contradict each other: no set of versions satisfies them all.",
            code="requirements-conflict",
            why=" ".join(problem.message for problem in problems),
            problems=problems,
        )

    # ---- the smallest conflict -----------------------------------------------------------

    def _smallest(self, failure: Unsolvable) -> Unsolvable:
        """The failure of as few lines as still fail, found by leaving out one after the other.

        The lines that led to what met are tried alone first: mostly they are the conflict.
        """
        needed = list(dict.fromkeys(id(root.line) for root in self._question.roots))
        about = {id(self._line_of(each.parent, each.requirement)[0]) for each in failure.causes}
        near = [line for line in needed if line in about]
        if len(near) < len(needed) and (other := self._fails(near)) is not None:
            needed, failure = near, other
        for line in tuple(needed)[:TRIALS]:
            if len(needed) == 1:
                break
            fewer = [each for each in needed if each != line]
            other = self._fails(fewer)
            if other is not None:
                needed, failure = fewer, other
        return failure

    def _fails(self, lines: Sequence[int]) -> Unsolvable | None:
        wanted = set(lines)
        roots = tuple(root for root in self._question.roots if id(root.line) in wanted)
        unbuilt = self._shared.without_building()  # what fewer lines would bring is not worth it
        try:
            solve(replace(self._question, roots=roots), unbuilt, ahead=False, rounds=ROUNDS)
        except Unsolvable as failure:
            return failure
        except VenvmanError:
            return None  # cannot be told without what could not be had
        return None

    # ---- nothing at all fits -------------------------------------------------------------

    def _missing(self, failure: Unsolvable) -> VenvmanError | None:
        """One demand that no version meets, whatever else is asked for."""
        demands = {cause.requirement for cause in failure.causes}
        if len({(demand.name, demand.specifier) for demand in demands}) != 1:
            return None
        (cause, *_) = failure.causes
        demand = cause.requirement
        if demand.pin is not None or demand.name == IMPOSSIBLE:
            return None
        candidates = self._supply.candidates(demand.name)
        wanted = combined(frozenset({demand.specifier}), None)
        limited = any(line.name == demand.name for line in self._question.constraints)
        if limited and next(candidates.matching(wanted, hashes=demand.hashes), None) is not None:
            return None
        rejections = tuple(candidates.rejections(wanted, hashes=demand.hashes))
        line, chain = self._line_of(cause.parent, demand)
        origin = line.origin if line else None
        by = f" {chain}." if chain else ""
        if not candidates.versions and not rejections:
            return self._unknown(_not_found(demand.name, origin, by))
        return UnsatisfiableError(
            f"No version of {demand.name} will do for {demand}.",
            code="no-matching-version",
            why=f"{reasons_of(rejections, demand, self._supply.target)}{by}",
            fix=cure_of(rejections, demand, self._supply.target),
            **line_of(origin),
        )

    def _unknown(self, problem: Problem) -> IndexFault:
        """``problem``, and the same of every other line whose name no index has."""
        problems = {(problem.path, problem.line): problem}
        for root in self._question.roots:
            if root.pin is None and root.line and self._is_unknown(root.name):
                found = _not_found(root.name, root.line.origin, "")
                problems.setdefault((found.path, found.line), found)
        several = len(problems) > 1
        return IndexFault(
            "No index has distributions of these names." if several else problem.message,
            code=problem.code,
            why=None if several else problem.why,
            fix=None if several else problem.fix,
            problems=problems.values(),
        )

    def _is_unknown(self, name: NormalizedName) -> bool:
        try:
            return not self._supply.candidates(name).versions
        except IndexFault:
            return False  # no index answered, which is another matter

    # ---- a contradiction -----------------------------------------------------------------

    def _problems(self, failure: Unsolvable) -> Iterable[Problem]:
        """One for each cause, those of several versions of one distribution joined."""
        grouped: dict[tuple[str, str], dict[Pin, Demand]] = {}
        names: dict[NormalizedName, None] = {}
        for cause in failure.causes:
            demand, parent = cause.requirement, cause.parent
            if demand.name != IMPOSSIBLE:
                names[demand.name] = None
            if parent is None:
                yield self._asked(demand)
            else:
                key = (parent.identifier, demand.identifier + demand.note)
                grouped.setdefault(key, {})[parent] = demand
        for depending in grouped.values():
            yield self._depends(depending)
        for line in self._question.constraints:
            if line.name in names:
                yield Problem(
                    code="requirements-conflict",
                    message=f"{line.origin} limits {line.name} to {line.specifier}.",
                    path=line.origin.path if line.origin.line else None,
                    line=line.origin.line or None,
                    text=redact(line.origin.text),
                )

    def _asked(self, demand: Demand) -> Problem:
        line = demand.line
        if line is None:
            return Problem(code="requirements-conflict", message=f"{demand} is asked for.")
        origin = line.origin
        return Problem(
            code="requirements-conflict",
            message=f"{origin} asks for {redact(str(demand))}.",
            **line_of(origin),
            fix=Advice(f"Relax {origin}, or the requirements that contradict it."),
        )

    def _depends(self, depending: Mapping[Pin, Demand]) -> Problem:
        """``depending`` are versions of one distribution with what each demands of another."""
        pins = sorted(depending, key=lambda pin: pin.version)
        demands = [depending[pin] for pin in pins]
        line, chain = self._line_of(pins[0], None)
        verb = "depends on" if len(pins) == 1 else "depend on"
        texts = _listed([redact(str(demand)) for demand in demands], " or ")
        versions = ", ".join(str(pin.version) for pin in pins)
        if len(pins) > SHOWN:
            versions = f"{pins[0].version} to {pins[-1].version}"
        message = f"{pins[0].identifier} {versions} {verb} {texts}."
        if demands[0].name == IMPOSSIBLE:
            message = f"{texts}."
        origin = line.origin if line else None
        return Problem(
            code="requirements-conflict",
            message=message,
            **line_of(origin),
            why=f"{chain}." if chain else None,
            fix=Advice(f"Allow another version of {pins[0].name}.") if origin else None,
        )

    def _line_of(self, pin: Pin | None, demand: Demand | None) -> tuple[Requirement | None, str]:
        """The line that led to ``pin``, and the way from it in words."""
        if pin is None:
            return (demand.line if demand else None), ""
        way = [pin.name]
        seen = {pin.identifier}
        while True:
            root = next((each.line for each in self._question.roots if each.name == pin.name), None)
            if root is not None:
                names = list(dict.fromkeys(reversed(way)))
                by = " -> ".join([str(root.origin), *names[:-1]])
                return root, f"{names[-1]} is asked for by {by}"
            parent = self._shared.introduced.get(pin.identifier, (None, None))[0]
            if parent is None or parent.identifier in seen:
                return None, ""
            seen.add(parent.identifier)
            way.append(parent.name)
            pin = parent


def _not_found(name: NormalizedName, origin: FileLine | None, by: str) -> Problem:
    return Problem(
        code="package-not-found",
        message=f"No index has a distribution named {name}.",
        why=f"Its name may be misspelt, or it is on another index.{by}",
        fix=Advice(
            "Check the name, or name its index by a line `--extra-index-url URL` in the "
            "requirements file or PIP_EXTRA_INDEX_URL."
        ),
        **line_of(origin),
    )


def _listed(texts: Sequence[str], last: str) -> str:
    """Each text once, in order; of many only the first and the last."""
    *others, final = dict.fromkeys(texts)
    if not others:
        return final
    if len(others) >= SHOWN:
        others = [others[0], "..."]
    return f"{', '.join(others)}{last}{final}"
