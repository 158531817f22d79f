"""What is chosen of a multi-use lock file is what packaging's own reading of PEP 751 selects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker, default_environment
from packaging.pylock import Pylock

from venvman.model.names import canonical
from venvman.requirements.multiuse import chosen, inner_groups

GROUPS, EXTRAS = ("test", "Docs", "lint_x"), ("test", "fast")
HEAD = 'extras = ["test", "fast"]\ndependency-groups = ["test", "Docs", "lint_x"]\n[[packages]]\n'
ATOMS = st.sampled_from(
    [
        *(f"'{name}' {word} dependency_groups" for name in GROUPS for word in ("in", "not in")),
        *(f'"{name}" {word} extras' for name in EXTRAS for word in ("in", "not in")),
        *("python_version >= '3'", "sys_platform == 'plan9'", "os_name != 'and or (\"'"),
    ]
)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    word = st.sampled_from((" and ", " or "))
    plain = st.tuples(inner, word, inner).map("".join)
    return plain | plain.map("({})".format)


@given(
    marker=st.recursive(ATOMS, _joined, max_leaves=8),
    groups=st.sets(st.sampled_from(GROUPS)),
    extras=st.sets(st.sampled_from(EXTRAS)),
)
def test_packaging_selects_the_same(marker: str, groups: set[str], extras: set[str]) -> None:
    package = {"name": "p", "version": "1", "marker": marker, "directory": {"path": "."}}
    document = {
        "lock-version": "1.0",
        "created-by": "x",
        "packages": [package],
        "extras": [*EXTRAS],
        "dependency-groups": [*GROUPS],
    }
    theirs = Pylock.from_dict(document).select(
        environment=default_environment(), extras=extras, dependency_groups=groups
    )
    inner = inner_groups(HEAD, "default")
    on = {*((False, canonical(each)) for each in groups), *((True, each) for each in extras)}
    ours = chosen(
        Marker(marker), inner, [each.name for each in inner if (each.extra, each.said) in on]
    )
    assert (ours if isinstance(ours, bool) else ours.evaluate()) == bool([*theirs])
