"""The reference pages say what the command line does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.cli import SCHEMAS
from tools.cli_page import page
from venvman.cli.read import read
from venvman.cli.table import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_commands_is_current() -> None:
    assert (DOCS / "reference" / "cli.md").read_text() == page(), "run: python -m tools.cli_page"


def test_the_page_names_every_command_and_every_option() -> None:
    text = (DOCS / "reference" / "cli.md").read_text()

    for name, command in COMMANDS.items():
        assert (f"## `venvman {name}`\n" in text) is not command.hidden
    for option in ("--group, -g GROUP", "--upgrade-package, -P NAME"):
        assert f"| `{option}` |" in text
    assert "| <code>--format text&#124;json</code> |" in text


@pytest.mark.parametrize("schema", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_the_page_of_json_output_links_every_schema(schema: Path) -> None:
    text = (DOCS / "reference" / "json-output.md").read_text()

    assert f"(schemas/{schema.name})" in text


def test_the_page_of_json_output_shows_the_envelope_as_it_is() -> None:
    text = (DOCS / "reference" / "json-output.md").read_text()
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)

    assert shown is not None
    assert list(json.loads(shown[1])) == [
        "schema_version",
        "command",
        "status",
        "exit_code",
        "data",
        "problems",
    ]


def test_every_schema_is_valid_and_named_after_its_file() -> None:
    import jsonschema

    for path in SCHEMAS.glob("*.json"):
        document = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["$id"] == path.name


def test_every_command_that_a_message_proposes_can_be_typed() -> None:
    call = re.compile(r"(?:Command\.venvman|then)\(((?:\"[^\"]*\"(?:, )?)+)\)")
    proposed = {
        tuple(re.findall(r'"([^"]*)"', words))
        for path in (DOCS.parent / "venvman").rglob("*.py")
        for words in call.findall(path.read_text())
    }

    assert proposed
    for words in sorted(proposed):
        assert read(words) is not None or words[-1].startswith("--"), words
