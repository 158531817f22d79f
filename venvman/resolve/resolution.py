"""resolvelib's search, remembering what it works out again in every round.

Before each pin resolvelib asks of every criterion whether its pin satisfies it, and of every open
one how much it is preferred: with 180 distributions that is a hundred thousand questions. Hardly
any answer changes from one round to the next, since a criterion is replaced whenever anything
about it changes. So answers are kept with the criterion (and pin) that they are about; what is
asked, and what is answered, stays resolvelib's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib.resolvers import Resolution

from venvman.resolve.demand import Demand, Pin

if TYPE_CHECKING:
    from resolvelib import BaseReporter
    from resolvelib.providers import Preference
    from resolvelib.resolvers.criterion import Criterion

    from venvman.resolve.provider import Provider

__all__ = ["QuickResolution"]


class QuickResolution(Resolution[Demand, Pin, str]):
    """A :class:`resolvelib.resolvers.Resolution` with the same results, sooner."""

    def __init__(self, provider: Provider, reporter: BaseReporter[Demand, Pin, str]) -> None:
        super().__init__(provider, reporter)
        self._provider = provider
        self._verdicts: dict[str, tuple[Criterion[Demand, Pin], Pin, bool]] = {}
        self._preferences: dict[str, tuple[Criterion[Demand, Pin], int, Preference]] = {}

    def _is_current_pin_satisfying(self, name: str, criterion: Criterion[Demand, Pin]) -> bool:
        pin = self._states[-1].mapping.get(name)
        if pin is None:
            return False
        known = self._verdicts.get(name)
        if known is not None and known[0] is criterion and known[1] is pin:
            return known[2]
        verdict = all(each.requirement.fits(pin) for each in criterion.information)
        self._verdicts[name] = criterion, pin, verdict
        return verdict

    def _get_preference(self, name: str) -> Preference:
        criterion = self._states[-1].criteria[name]
        promotions = self._provider.promotions
        known = self._preferences.get(name)
        if known is not None and known[0] is criterion and known[1] == promotions:
            return known[2]
        preference = super()._get_preference(name)
        self._preferences[name] = criterion, promotions, preference
        return preference
