"""libyaml without the rest of ruamel.yaml: quick where it can be, and whole where it has to be."""

from __future__ import annotations

import subprocess
import sys

_QUICK = "import sys\nfrom bps.cli.merge_quick_yaml import quick_yaml, whole\nquick_yaml()\n"
_EVENTS = """
from bps.merge.parse import parse
from bps.merge.source import Source
(document,) = parse(Source("x", "a: [1, &x b, *x]\\n"))
assert document.root.children[1].children[1].anchor == "x"
"""
_UNREADABLE = """
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.source import Source
for text in ("a: [1", "a: \\t- b", "a: \\x01", "a: *b: c", "%YAML 9.9\\n---\\na"):
    try:
        parse(Source("x", text))
    except Unreadable as error:
        print(error)
"""
_WHOLE = """
import io
from ruamel.yaml import YAML
from ruamel.yaml.parser import ParserError
from ruamel.yaml.composer import ComposerError
yaml = YAML(typ="safe", pure=False)
assert yaml.load("a: [1, {b: 2}]") == {"a": [1, {"b": 2}]}
for text, kind in (("a: [1", ParserError), ("a: *b", ComposerError)):
    try:
        yaml.load(text)
    except kind:
        pass
    else:
        raise AssertionError(text)
out = io.StringIO()
yaml.dump({"a": [1, {"b": 2}]}, out)
assert yaml.load(out.getvalue()) == {"a": [1, {"b": 2}]}
out = io.StringIO()
YAML().dump(YAML().load("a: 1 # x\\n"), out)
assert out.getvalue() == "a: 1 # x\\n"
"""


def python(program: str) -> str:
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_events_need_nothing_of_ruamel_but_errors_and_events() -> None:
    shown = "print(*(n for n, m in sys.modules.items() if n.startswith('ruamel.yaml') and m))"
    assert set(python(_QUICK + _EVENTS + shown).split()) == {
        "ruamel.yaml.clib._ruamel_yaml",
        "ruamel.yaml.error",
        "ruamel.yaml.events",
        "ruamel.yaml.tag",
    }


def test_chunks_are_proven_without_the_classes_of_events() -> None:
    proven = """
from _ruamel_yaml import CParser
assert CParser("a: [1, 2]").raw_parse() == 11
assert "ruamel.yaml.tag" not in sys.modules
assert "StreamMark" not in vars(sys.modules["ruamel.yaml.error"])
"""
    python(_QUICK + proven + _EVENTS + _UNREADABLE + _WHOLE)


def test_events_are_told_apart_by_classes_that_are_made_once() -> None:
    asked = """
from ruamel.yaml.events import StreamStartEvent, ScalarEvent
from _ruamel_yaml import CParser
assert type(CParser("a: 1").get_event()) is StreamStartEvent
from ruamel.yaml.events import ScalarEvent as again
assert again is ScalarEvent
"""
    python(_QUICK + asked + _EVENTS)
    python(_QUICK + asked + "whole()\n" + _EVENTS + _WHOLE)


def test_importing_what_was_stood_in_for_fails_by_name() -> None:
    for module in ("ruamel.yaml", "ruamel.yaml.nodes", "ruamel.yaml.main"):
        tried = f"\ntry:\n    import {module}\nexcept ImportError as e:\n    print(e)\n"
        assert "ruamel.yaml" in python(_QUICK + tried), module


def test_a_syntax_error_reads_as_it_does_with_all_of_ruamel() -> None:
    ordinary = python(_UNREADABLE)
    assert ordinary.count("x, line ") == 5
    assert python(_QUICK + _UNREADABLE) == ordinary


def test_made_whole_again_ruamel_does_all_it_does() -> None:
    python(_QUICK + "whole()\n" + _EVENTS + _WHOLE)
    python(_QUICK + _UNREADABLE + _WHOLE)
    python(_QUICK + "whole()\nwhole()\n" + _WHOLE)


def test_calls_that_need_the_stand_ins_make_it_whole_by_themselves() -> None:
    tokens = """
from _ruamel_yaml import CParser
assert type(CParser("a: 1").get_token()).__module__ == "ruamel.yaml.tokens"
"""
    python(_QUICK + tokens + _WHOLE)


def test_where_ruamel_is_there_already_nothing_is_stood_in_for() -> None:
    python("import ruamel.yaml\n" + _QUICK + _EVENTS + _WHOLE)


def test_where_ruamel_is_made_otherwise_it_is_imported_as_usual() -> None:
    elsewhere = """
import sys
import ruamel
from importlib.machinery import PathFinder
where = list(ruamel.__path__)
class Elsewhere:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, where) if name == "ruamel.yaml" else None
sys.meta_path.insert(0, Elsewhere)
ruamel.__path__ = []
from bps.cli.merge_quick_yaml import quick_yaml
quick_yaml()
"""
    no_names = """
from bps.cli import merge_quick_yaml
def refuse(self, name):
    raise AttributeError(name)
merge_quick_yaml._StandInModule.__getattr__ = refuse
merge_quick_yaml.quick_yaml()
"""
    for program in (elsewhere, no_names):
        python(program + _EVENTS + _WHOLE)
