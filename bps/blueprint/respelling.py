"""What libyaml 0.1 takes for an error and YAML allows: `:` and `?` in plain scalars in brackets.

`ports: [80:80]`, `{url: http://a.org/?b}`: a colon is an indicator before a blank, a comma or a
bracket, and behind a quoted key; a question mark is one where a scalar could begin; elsewhere they
are characters like others (YAML 1.2.2, rules 126 to 130). libyaml 0.1.7, which ruamel.yaml.clib
0.2.15 has inside, refuses them between brackets.
"""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError, YAMLError

_MARKS = {":": "\ue03a", "?": "\ue03f"}
"""Private characters of the same length, so that everything stands where it stood."""
_CLOSING = frozenset("\"']}")
_PROPERTIES = frozenset("!&*")
# A tag is left as it is. A colon behind a bracket or a quote can end a key of JSON's form.
_INNER = (
    r"""(?P<tag>(?<![^\s,\[\]{}])!\S*)"""
    r"""|(?<=[^\s,\[\]{}"']):(?=[^\s,\[\]{}])|(?<=[^\s,\[\]{}"'])\?"""
    r"""|(?<=[\s,\[{])(?P<first>:)(?=[^\s,\[\]{}])"""
)


def respelled(text: str) -> str | None:
    """The text with other characters for each of these that is one; None where there is none.

    In block style, quotes and comments they change as well: whoever reads the text gives every
    value to `spelled_back`. None too where the text has such a character already.
    """
    if any(mark in text for mark in _MARKS.values()) or ("[" not in text and "{" not in text):
        return None

    def mark(found: re.Match[str]) -> str:
        if found["first"] is not None and _is_indicator(text, found.start()):
            return ":"
        return found["tag"] or _MARKS[found[0]]

    other = re.sub(_INNER, mark, text)
    return None if other == text else other


def _is_indicator(text: str, at: int) -> bool:
    """Whether libyaml takes the colon that begins a word for one, and refuses nothing.

    So it is behind a quote or a bracket, as YAML says, and behind a tag, an anchor or an alias.
    """
    end = at
    while end and text[end - 1].isspace():
        end -= 1
    begin = end
    while begin and text[begin - 1] not in ",[]{}" and not text[begin - 1].isspace():
        begin -= 1
    return text[end - 1 : end] in _CLOSING or text[begin : begin + 1] in _PROPERTIES


def spelled_back(value: str) -> str:
    """What stands in the text for a value of its respelled form."""
    for character, mark in _MARKS.items():
        value = value.replace(mark, character)
    return value


def further(error: YAMLError, of_respelled: YAMLError) -> YAMLError:
    """The error that is further on: the other one is of a colon that one of the spellings suits."""
    return of_respelled if _place(of_respelled) > _place(error) else error


def _place(error: YAMLError) -> int:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    return -1 if mark is None else int(mark.index)
