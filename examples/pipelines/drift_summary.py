"""Says in Markdown what two plans have found: `drift_summary.py CODE REFRESH_ONLY.json CODE PLAN.json`.

Each file is what `terraform show -json` or `tofu show -json` prints of a plan: the first of one with -refresh-only, which
tells what has changed in Azure since the last apply, the second of one without, which tells what an apply would do. Before
each comes the exit code of `plan -detailed-exitcode`: 0 says that it found nothing, and nothing else says that.
"""

import itertools
import json
import os.path
import re
import sys
from collections import Counter

# Longer values are cut; ids of role assignments are not.
LONGEST = 300
# So many characters of rows each table has: GitHub takes 65,536 in an issue.
ROOM = 28_000


def main(refresh_only_code, refresh_only, plan_code, plan):
    if refresh_only_code == plan_code == "0":
        print("# No drift\n\nAzure, the state and the configuration agree.")
        return
    print("# Drift")
    drifted = [*resources(refresh_only.get("resource_drift", [])), *outputs(refresh_only)]
    section("Changed since the last apply", "plan -refresh-only", refresh_only_code, ("Was", "Is"), drifted)
    changed = [*resources(plan.get("resource_changes", [])), *outputs(plan), *others(plan)]
    section("What an apply would change", "plan", plan_code, ("Is", "Becomes"), changed)


def section(title, command, exit_code, headings, rows):
    """Prints a table, or why there is none."""
    nothing = "nothing." if exit_code == "0" else "something that is no row of a table; the log of the run has it."
    print(f"\n## {title}\n\nFound by `{command}`" + (":\n" if rows else f": {nothing}"))
    lines = [f"| {' | '.join(row)} |" for row in (("Resource", "Hub or object", "Attribute", *headings), *rows)]
    lengths = itertools.accumulate(map(len, lines))
    kept = sum(length <= ROOM for length in lengths)
    if rows:
        print("\n".join([lines[0], "|---|---|---|---|---|", *lines[1:kept]]))
    if kept < len(lines):
        print(f"\nRows that are left out: {len(lines) - kept}. The log of the run has everything.")


def resources(found):
    """A row for each attribute that differs."""
    for resource in found:
        change = resource["change"]
        actions, before, after = change["actions"], change.get("before"), change.get("after")
        hidden = change.get("before_sensitive"), change.get("after_sensitive")
        deposed = f" (deposed {code(resource['deposed'])})" if "deposed" in resource else ""
        head = code(resource["address"]) + deposed, name_of(before or after or {}, *hidden)
        if "previous_address" in resource:
            yield *head, "address", code(resource["previous_address"]), code(resource["address"])
        if "importing" in change:
            yield *head, "state", "missing", "imported"
        if actions == ["read"]:
            yield *head, "(all)", "", "read by the apply"
        elif actions == ["forget"]:
            yield *head, "(all)", "there", "forgotten"
        elif before is None or after is None:
            yield *head, "(all)", *("missing" if value is None else "there" for value in (before, after))
        else:
            if len(actions) > 1:
                yield *head, "(all)", "there", "forgotten and made anew" if "forget" in actions else "replaced"
            for path, was, becomes in differences("", before, after, change.get("after_unknown"), *hidden):
                yield *head, code(path), was, becomes


def outputs(plan):
    """A row for each part of an output that differs."""
    for name, change in plan.get("output_changes", {}).items():
        keys = "before", "after", "after_unknown", "before_sensitive", "after_sensitive"
        for path, was, becomes in differences("", *map(change.get, keys)):
            yield code(f"output.{name}"), "", code(path) or "value", was, becomes


def others(plan):
    """A row for each thing else that a plan may have."""
    for deferred in plan.get("deferred_changes", []):
        yield code(deferred["resource_change"]["address"]), "", "(all)", "", f"deferred: {code(deferred['reason'])}"
    for action in plan.get("action_invocations", []):
        yield code(action["address"]), "", "(all)", "", "invoked"


def differences(path, before, after, unknown, *hidden):
    """The paths below which two values differ, with both in readable form."""
    kinds = {type(value) for value in (before, after) if value is not None}
    marks = unknown, *hidden
    rows = []
    if kinds == {dict} and not any(mark is True for mark in marks):
        parts = [part if isinstance(part, dict) else {} for part in (before, after, *marks)]
        for name in sorted({name for part in parts[:3] for name in part}):
            rows += differences(f"{path}.{name}".lstrip("."), *(part.get(name) for part in parts))
    elif kinds == {list} and not any(map(has_mark, marks)):
        was, becomes = (Counter(map(text, value or [])) for value in (before, after))
        elements = itertools.zip_longest((was - becomes).elements(), (becomes - was).elements())
        rows += ((path, *pair(*both, "missing")) for both in elements)
    if not rows and (before != after or has_mark(unknown)):
        was, becomes = pair(*(None if value is None else text(value) for value in (before, after)), "unset")
        # A value that is hidden on one side alone is hidden on both.
        if any(map(has_mark, hidden)):
            was, becomes = ("unset" if word == "unset" else "(sensitive)" for word in (was, becomes))
        rows = [(path, was, "known after apply" if has_mark(unknown) else becomes)]
    elif not rows and has_mark(hidden[0]) != has_mark(hidden[1]):
        rows = [(path, *("sensitive" if has_mark(mark) else "not sensitive" for mark in hidden))]
    return rows


def has_mark(marks):
    """Whether any part of a value is marked."""
    inner = marks.values() if isinstance(marks, dict) else marks if isinstance(marks, list) else []
    return marks is True or any(map(has_mark, inner))


def text(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def pair(was, becomes, none):
    """Two texts, or what stands for one that is not there, cut to where they begin to differ."""
    same = 0 if was is None or becomes is None else len(os.path.commonprefix([was, becomes]))
    start = max(0, same - LONGEST // 4) if len(max(was or "", becomes or "", key=len)) > LONGEST else 0
    return tuple(none if part is None else code("…" * (start > 0) + part[start:]) for part in (was, becomes))


def code(words):
    """Text as it is, in a cell of a table: nothing in it is Markdown or HTML, and differences of white space are seen."""
    words = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    words = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in words)
    # All marks but those that have no meaning in Markdown; of underscores those that are not within a word.
    words = re.sub(r"[^\w .,:/()'\"=+…-]|(?<![^\W_])_|_(?![^\W_])", lambda mark: f"&#{ord(mark[0])};", words)
    words = re.sub(" (?= )", "&#160;", words)
    return f"<code>{words}</code>" if words else ""


def name_of(values, *hidden):
    """What a resource is about: a hub, by name and resource group, or an id."""
    key = next((key for key in ("hub_id", "id") if isinstance(values.get(key), str)), None)
    if key is None:
        return ""
    if any(mark is True or has_mark((mark or {}).get(key)) for mark in hidden):
        return "(sensitive)"
    parts = values[key].split("/")
    is_hub = len(parts) > 8 and parts[3].lower() == "resourcegroups"
    return code(f"{parts[-1]} in {parts[4]}" if is_hub else values[key])


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    first, refresh_only_file, second, plan_file = sys.argv[1:]
    found = [json.load(open(file, encoding="utf-8")) for file in (refresh_only_file, plan_file)]
    main(first, found[0], second, found[1])
