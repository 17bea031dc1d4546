"""What libyaml 0.1 takes for an error and YAML allows: `:` and `?` in plain scalars in brackets.

`ports: [80:80]`, `{url: http://a.org/?b}`: a colon is an indicator before a blank, a comma or a
bracket, and behind a quoted key; a question mark is one where a scalar could begin; elsewhere they
are characters like others (YAML 1.2.2, rules 126 to 130). libyaml 0.1.7, which ruamel.yaml.clib
0.2.15 has inside, refuses them between brackets.
"""

from __future__ import annotations

import re

_MARKS = {":": "\ue03a", "?": "\ue03f"}
"""Private characters of the same length, so that everything stands where it stood."""
# A tag is left as it is. A colon behind a bracket or a quote can end a key of JSON's form.
_INNER = (
    r"""(?P<tag>(?<![^\s,\[\]{}])!\S*)"""
    r"""|(?<=[^\s,\[\]{}"']):(?=[^\s,\[\]{}])|(?<=[^\s,\[\]{}"'])\?"""
)


def respelled(text: str) -> str | None:
    """The text with other characters for each of these that is one; None where there is none.

    In block style, quotes and comments they change as well: whoever reads the text gives every
    value to `spelled_back`. None too where the text has such a character already.
    """
    if any(mark in text for mark in _MARKS.values()) or ("[" not in text and "{" not in text):
        return None
    other = re.sub(_INNER, lambda found: found["tag"] or _MARKS[found[0]], text)
    return None if other == text else other


def spelled_back(value: str) -> str:
    """What stands in the text for a value of its respelled form."""
    for character, mark in _MARKS.items():
        value = value.replace(mark, character)
    return value
