"""Bills of materials (CycloneDX 1.6) beside what is in `dist`.

    python -m tools.sbom [DIST]

`venvman-VERSION.cdx.json` has what the tests ran with: venvman and what it needs, in the versions
that are installed here, which are those of `requirements-dev.txt`. `venvman.pyz.cdx.json` has what
lies in the zipapp. The same files give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message

Distributions = dict[str, "Message[str, str]"]
"""The metadata of distributions by their canonical names."""


def installed() -> Distributions:
    """venvman and all that it needs here."""
    found: Distributions = {}
    waiting = ["venvman"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _parsed(metadata.distribution(name).read_text("METADATA") or "")
            waiting += needed(found[name])
    return found


def packed(app: Path) -> Distributions:
    """What lies in a zipapp (what its parts carry of others is theirs to tell)."""
    with zipfile.ZipFile(app) as archive:
        told = [
            _parsed(archive.read(name).decode("utf-8"))
            for name in archive.namelist()
            if re.fullmatch(r"site-packages/[^/]+\.dist-info/METADATA", name)
        ]
    return {canonicalize_name(each["Name"]): each for each in told}


def needed(told: Message[str, str]) -> list[str]:
    """The names of what a distribution needs on this Python, without extras."""
    requirements = [Requirement(line) for line in told.get_all("Requires-Dist", [])]
    return [
        canonicalize_name(each.name)
        for each in requirements
        if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def bill(found: Distributions, files: Iterable[Path]) -> dict[str, Any]:
    """The document on ``found``, of which ``files`` were made."""
    own = _component(found["venvman"], "application")
    own["version"], own["purl"] = __version__, f"pkg:pypi/venvman@{__version__}"
    own["bom-ref"] = own["purl"]
    own["externalReferences"] = [
        {
            "type": "distribution",
            "url": file.name,
            "hashes": [
                {"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}
            ],
        }
        for file in files
    ]
    others = [_component(found[name], "library") for name in sorted(found) if name != "venvman"]
    refs = {"venvman": own["bom-ref"], **{each["name"]: each["bom-ref"] for each in others}}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": others,
        "dependencies": [
            {
                "ref": ref,
                "dependsOn": sorted({refs[each] for each in needed(found[name]) if each in refs}),
            }
            for name, ref in refs.items()
        ],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return {**document, "serialNumber": f"urn:uuid:{number}"}


def _component(told: Message[str, str], kind: str) -> dict[str, Any]:
    name, version = canonicalize_name(told["Name"]), told["Version"]
    ref = f"pkg:pypi/{name}@{version}"
    expression, summary = told["License-Expression"], told["Summary"]
    return {
        "type": kind,
        "bom-ref": ref,
        "name": name,
        "version": version,
        "purl": ref,
        **({"description": summary} if summary else {}),
        **({"licenses": [{"expression": expression}]} if expression else {}),
    }


def _parsed(text: str) -> Message[str, str]:
    return HeaderParser().parsestr(text)


def main(folder: Path) -> int:
    """Writes a document for wheel and sdist, and one for the zipapp where there is one."""
    app = folder / "venvman.pyz"
    files = sorted([*folder.glob("venvman-*.whl"), *folder.glob("venvman-*.tar.gz")])
    bills = {f"venvman-{__version__}": bill(installed(), files)}
    if app.exists():
        bills[app.name] = bill(packed(app), [app])
    for name, document in bills.items():
        text = json.dumps(document, indent=2, sort_keys=True) + "\n"
        (folder / f"{name}.cdx.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
