"""Says in Markdown what two plans have found: `drift_summary.py REFRESH_ONLY.json PLAN.json`.

Both are what `terraform show -json` or `tofu show -json` prints of a plan: the first of one with -refresh-only, which tells
what has changed in Azure since the last apply, the second of one without, which tells what an apply would do.
"""

import html
import json
import sys

# Longer values are cut.
LONGEST = 200


def main(refresh_only, plan):
    drifted = list(rows(refresh_only.get("resource_drift", [])))
    changed = list(rows(plan.get("resource_changes", []))) + list(outputs(plan))
    if not drifted and not changed:
        print("# No drift\n\nAzure, the state and the configuration agree.")
        return
    print("# Drift")
    section("Changed in Azure since the last apply", "plan -refresh-only", ("Was", "Is"), drifted)
    section("What an apply would change", "plan", ("Is", "Becomes"), changed)


def section(title, command, headings, lines):
    """Prints a table, or that there is nothing to put into one."""
    print(f"\n## {title}\n\nFound by `{command}`" + (":\n" if lines else ": nothing."))
    if lines:
        print(f"| Resource | Hub or object | Attribute | {' | '.join(headings)} |\n|---|---|---|---|---|")
        for line in lines:
            print(f"| {' | '.join(line)} |")


def rows(resources):
    """A row for each attribute that differs."""
    for resource in resources:
        change = resource["change"]
        actions, before, after = change["actions"], change.get("before"), change.get("after")
        if actions in (["no-op"], ["read"]) and "previous_address" not in resource and "importing" not in change:
            continue
        head = code(resource["address"]), code(name_of(before or after or {}))
        if "previous_address" in resource:
            yield *head, "address", code(resource["previous_address"]), code(resource["address"])
        if "importing" in change:
            yield *head, "state", "missing", "imported"
        if before is None or after is None:
            yield *head, "(all)", *("missing" if value is None else "there" for value in (before, after))
            continue
        if len(actions) > 1:
            yield *head, "(all)", "there", "replaced"
        unknown, hidden = change.get("after_unknown"), (change.get("before_sensitive"), change.get("after_sensitive"))
        for path, was, becomes in differences("", before, after, unknown, *hidden):
            yield *head, code(path), was, becomes


def outputs(plan):
    """A row for each output that differs."""
    for name, change in plan.get("output_changes", {}).items():
        if change["actions"] != ["no-op"]:
            path = code(f"output.{name}")
            for _, was, becomes in differences(
                name, change.get("before"), change.get("after"), change.get("after_unknown"),
                change.get("before_sensitive"), change.get("after_sensitive"),
            ):
                yield path, "", "value", was, becomes


def differences(path, before, after, unknown, before_hidden, after_hidden):
    """The paths below which two values differ, with both in readable form."""
    whole = any(mark is True for mark in (unknown, before_hidden, after_hidden))
    if isinstance(before, dict) and isinstance(after, dict) and not whole:
        for name in sorted({*before, *after, *(unknown if isinstance(unknown, dict) else {})}):
            inner = (part.get(name) if isinstance(part, dict) else None for part in (unknown, before_hidden, after_hidden))
            yield from differences(f"{path}.{name}".lstrip("."), before.get(name), after.get(name), *inner)
    elif before != after or has_mark(unknown):
        becomes = "known after apply" if has_mark(unknown) else shown(after, after_hidden)
        yield path, shown(before, before_hidden), becomes


def has_mark(marks):
    """Whether any part of a value is marked."""
    inner = marks.values() if isinstance(marks, dict) else marks if isinstance(marks, list) else []
    return marks is True or any(has_mark(mark) for mark in inner)


def shown(value, hidden):
    if has_mark(hidden):
        return "(sensitive)"
    if isinstance(value, dict):
        return "there"
    return "unset" if value is None else code(value if isinstance(value, str) else json.dumps(value))


def code(text):
    """Text as it is, in a cell of a table."""
    text = " ".join(text.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>" if text else ""


def name_of(values):
    """What a resource is about: a hub, by name and resource group, or an id."""
    identifier = values.get("hub_id") or values.get("id") or ""
    parts = identifier.split("/") if isinstance(identifier, str) else []
    return f"{parts[-1]} in {parts[4]}" if len(parts) > 8 and parts[3].lower() == "resourcegroups" else identifier


if __name__ == "__main__":
    main(*(json.load(open(file)) for file in sys.argv[1:3]))
