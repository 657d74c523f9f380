"""The C of a state: `init` and `reset`, `save` and `load`."""

from __future__ import annotations

from collections.abc import Sequence

from gruworks.interop.c.arrays import Field

__all__ = ["indented", "reset", "saving"]


def reset(name: str, fields: Sequence[Field], start: Sequence[str]) -> str:
    """`reset`, with the statements `start` at its end, and `init`."""
    lines = ["memset(state, 0, sizeof *state);"]
    for one in fields:
        if isinstance(one.first, str):
            lines.append(f"memcpy(state->{one.name}, {one.first}, sizeof {one.first});")
        elif one.first:
            lines.append(f"state->{one.name} = {one.first!r};")
    return f"""\
void {name}_reset({name}_state *state)
{{
{indented([*lines, *start])}
}}

void {name}_init({name}_state *state)
{{
    {name}_reset(state);
}}
"""


def saving(name: str, fields: Sequence[Field], identity: int) -> str:
    """`save` and `load`; a saved state begins with the number of the model that it belongs to."""
    places = [(f"state->{one.name}" if one.size else f"&state->{one.name}", one.words) for one in fields]
    saves = [f"bytes = save_words(bytes, {place}, {words});" for place, words in places]
    loads = [f"bytes = load_words({place}, bytes, {words});" for place, words in places]
    upper, unused = name.upper(), [] if fields else ["(void)state;"]
    return f"""\
static const uint32_t identity = 0x{identity:08x}u; /* of the constants */

void {name}_save(const {name}_state *state, uint8_t bytes[{upper}_SAVED_BYTES])
{{
    bytes = save_words(bytes, &identity, 1);
{indented([*saves, *unused])}
    (void)bytes;
}}

int {name}_load({name}_state *state, const uint8_t bytes[{upper}_SAVED_BYTES])
{{
    uint32_t found;
    bytes = load_words(&found, bytes, 1);
    if (found != identity)
        return 0;
{indented([*loads, *unused])}
    (void)bytes;
    return 1;
}}
"""


def indented(lines: Sequence[str]) -> str:
    """Statements in the body of a function."""
    return "\n".join(f"    {line}" for line in lines)
