//! The summary of two plans: what no resource of this provider shows, and text that would break it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::file;

/// What is written of a plan that found something. The refresh before it found nothing.
fn summary(plan: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let files = [("nothing.json", &json!({})), ("plan.json", plan)].map(|(name, content)| {
        let path = folder.path().join(name);
        fs::write(&path, content.to_string()).unwrap();
        path
    });
    let mut command = Command::new("python3");
    command.arg(file("drift_summary.py")).arg("0").arg(&files[0]).arg("2").arg(&files[1]);
    // A console of another encoding changes nothing.
    let output = command.env("PYTHONIOENCODING", "ascii").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rows of the table.
fn rows(plan: &Value) -> Vec<String> {
    let summary = summary(plan);
    summary.lines().filter(|line| line.starts_with("| <")).map(str::to_owned).collect()
}

/// The rows of one resource `a.b` whose attribute `x` changes; what goes before and after the two values is left out.
fn values(before: &Value, after: &Value) -> Vec<String> {
    let change = json!({ "actions": ["update"], "before": { "x": before }, "after": { "x": after } });
    let rows = rows(&json!({ "resource_changes": [{ "address": "a.b", "change": change }] }));
    let cells =
        rows.iter().map(|row| row.strip_prefix("| <code>a.b</code> |  | ").unwrap().strip_suffix(" |").unwrap());
    cells.map(str::to_owned).collect()
}

#[test]
fn every_kind_of_change_has_a_row() {
    let same = json!({ "id": "x" });
    let plan = json!({
        "resource_changes": [
            { "address": "a.replaced", "change": { "actions": ["delete", "create"],
                "before": { "id": "x", "kept": 1 }, "after": { "kept": 1 }, "after_unknown": { "id": true } } },
            { "address": "a.moved", "previous_address": "a.old",
                "change": { "actions": ["no-op"], "before": same, "after": same } },
            { "address": "a.imported", "change": { "actions": ["no-op"], "importing": { "id": "x" },
                "before": same, "after": same } },
            { "address": "a.kept", "change": { "actions": ["no-op"], "before": same, "after": same } },
            { "address": "a.made", "change": { "actions": ["create"], "before": null, "after": same } },
            { "address": "a.made", "deposed": "00c0ffee",
                "change": { "actions": ["delete"], "before": same, "after": null } },
            { "address": "a.forgotten", "change": { "actions": ["forget"], "before": same, "after": null } },
            { "address": "a.anew", "change": { "actions": ["forget", "create"], "before": same, "after": same } },
            { "address": "data.a.read", "change": { "actions": ["read"], "before": null, "after": {} } },
        ],
        "output_changes": {
            "shown": { "actions": ["update"], "before": 1, "after": 2, "after_unknown": false },
            "deep": { "actions": ["update"], "before": { "a": 1, "b": 1 }, "after": { "a": 2, "b": 1 } },
            "kept": { "actions": ["no-op"], "before": 1, "after": 1 },
        },
        "deferred_changes": [{ "reason": "provider_config_unknown", "resource_change": { "address": "a.later" } }],
        "action_invocations": [{ "address": "action.a.run" }],
    });
    assert_eq!(
        rows(&plan),
        [
            "| <code>a.replaced</code> | <code>x</code> | (all) | there | replaced |",
            "| <code>a.replaced</code> | <code>x</code> | <code>id</code> | <code>\"x\"</code> | known after apply |",
            "| <code>a.moved</code> | <code>x</code> | address | <code>a.old</code> | <code>a.moved</code> |",
            "| <code>a.imported</code> | <code>x</code> | state | missing | imported |",
            "| <code>a.made</code> | <code>x</code> | (all) | missing | there |",
            "| <code>a.made</code> (deposed <code>00c0ffee</code>) | <code>x</code> | (all) | there | missing |",
            "| <code>a.forgotten</code> | <code>x</code> | (all) | there | forgotten |",
            "| <code>a.anew</code> | <code>x</code> | (all) | there | forgotten and made anew |",
            "| <code>data.a.read</code> |  | (all) |  | read by the apply |",
            "| <code>output.deep</code> |  | <code>a</code> | <code>1</code> | <code>2</code> |",
            "| <code>output.shown</code> |  | value | <code>1</code> | <code>2</code> |",
            "| <code>a.later</code> |  | (all) |  | deferred: <code>provider_config_unknown</code> |",
            "| <code>action.a.run</code> |  | (all) |  | invoked |",
        ]
    );
}

#[test]
fn nothing_that_is_sensitive_is_shown() {
    let hub = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hidden";
    let of = |hub_id: &str, before: Value, after: Value, marks: [Value; 2]| {
        let [before_sensitive, after_sensitive] = marks;
        json!({ "address": hub_id, "change": { "actions": ["update"], "before": before, "after": after,
            "before_sensitive": before_sensitive, "after_sensitive": after_sensitive } })
    };
    let change = |old: &str, new: &str| [json!({ "hub_id": hub, "x": old }), json!({ "hub_id": hub, "x": new })];
    let mut resources = vec![
        of(
            "a.parts",
            json!({ "password": "hidden", "deep": { "key": "hidden", "plain": 1 }, "list": ["hidden", "a"] }),
            json!({ "password": "hidden2", "deep": { "key": "hidden2", "plain": 2 }, "list": ["hidden2", "a"] }),
            [(); 2].map(|()| json!({ "password": true, "deep": { "key": true }, "list": [true, false] })),
        ),
        of("a.now", json!({ "x": "hidden" }), json!({ "x": "hidden2" }), [json!({}), json!({ "x": true })]),
        of("a.marked", json!({ "x": "hidden" }), json!({ "x": "hidden" }), [json!({}), json!({ "x": true })]),
        of("a.unset", json!({ "x": null }), json!({ "x": "hidden" }), [json!({}), json!({ "x": true })]),
        of(
            "a.whole",
            json!({ "id": "hidden", "x": 1 }),
            json!({ "id": "hidden", "x": 2 }),
            [json!(true), json!(false)],
        ),
    ];
    for marks in [[json!({ "hub_id": true }), json!({})], [json!({}), json!({ "hub_id": true })]] {
        let [before, after] = change("1", "2");
        resources.push(of("a.hub", before, after, marks));
    }
    let plan = json!({ "resource_changes": resources, "output_changes": {
        "secret": { "actions": ["create"], "before": null, "after": "hidden", "after_sensitive": true } } });
    assert!(!summary(&plan).contains("hidden"), "{}", summary(&plan));
    let hub = [
        "| <code>a.hub</code> | (sensitive) | <code>hub_id</code> | not sensitive | sensitive |",
        "| <code>a.hub</code> | (sensitive) | <code>hub_id</code> | sensitive | not sensitive |",
        "| <code>a.hub</code> | (sensitive) | <code>x</code> | <code>\"1\"</code> | <code>\"2\"</code> |",
    ];
    assert_eq!(
        rows(&plan),
        [
            "| <code>a.parts</code> |  | <code>deep.key</code> | (sensitive) | (sensitive) |",
            "| <code>a.parts</code> |  | <code>deep.plain</code> | <code>1</code> | <code>2</code> |",
            "| <code>a.parts</code> |  | <code>list</code> | (sensitive) | (sensitive) |",
            "| <code>a.parts</code> |  | <code>password</code> | (sensitive) | (sensitive) |",
            "| <code>a.now</code> |  | <code>x</code> | (sensitive) | (sensitive) |",
            "| <code>a.marked</code> |  | <code>x</code> | not sensitive | sensitive |",
            "| <code>a.unset</code> |  | <code>x</code> | unset | (sensitive) |",
            "| <code>a.whole</code> | (sensitive) |  | (sensitive) | (sensitive) |",
            hub[1],
            hub[2],
            hub[0],
            hub[2],
            "| <code>output.secret</code> |  | value | unset | (sensitive) |",
        ]
    );
}

#[test]
fn the_difference_of_two_values_is_seen() {
    for (before, after, expected) in [
        (json!("a"), json!("a "), vec![r#"<code>x</code> | <code>"a"</code> | <code>"a "</code>"#]),
        (json!("a b"), json!("a  b"), vec![r#"<code>x</code> | <code>"a b"</code> | <code>"a&#160; b"</code>"#]),
        (json!("a b"), json!("a\nb"), vec![r#"<code>x</code> | <code>"a b"</code> | <code>"a&#92;nb"</code>"#]),
        (json!("a b"), json!("a\u{a0}b"), vec![r#"<code>x</code> | <code>"a b"</code> | <code>"a&#92;xa0b"</code>"#]),
        (json!("1"), json!(1), vec![r#"<code>x</code> | <code>"1"</code> | <code>1</code>"#]),
        (json!(""), json!(null), vec![r#"<code>x</code> | <code>""</code> | unset"#]),
        (json!("München"), json!("Zürich"), vec![r#"<code>x</code> | <code>"München"</code> | <code>"Zürich"</code>"#]),
        (
            json!(null),
            json!({ "a": 1, "b": { "c": true }, "d": null }),
            vec!["<code>x.a</code> | unset | <code>1</code>", "<code>x.b.c</code> | unset | <code>true</code>"],
        ),
        (json!({}), json!(null), vec!["<code>x</code> | <code>&#123;&#125;</code> | unset"]),
        (
            json!(["a", "b", "c", "c"]),
            json!(["c", "a", "d"]),
            vec![
                r#"<code>x</code> | <code>"b"</code> | <code>"d"</code>"#,
                r#"<code>x</code> | <code>"c"</code> | missing"#,
            ],
        ),
        (
            json!([1, 2]),
            json!([2, 1]),
            vec!["<code>x</code> | <code>&#91;1, 2&#93;</code> | <code>&#91;2, 1&#93;</code>"],
        ),
        (json!([]), json!(null), vec!["<code>x</code> | <code>&#91;&#93;</code> | unset"]),
    ] {
        assert_eq!(values(&before, &after), expected, "{before} and {after}");
    }
}

#[test]
fn a_long_value_is_cut_to_its_difference() {
    let long = |end: &str| format!("{}{end}{}", "a".repeat(1000), "z".repeat(1000));
    let cut = |end: &str| format!("<code>…{}{end}{}…</code>", "a".repeat(75), "z".repeat(223));
    let expected = format!("<code>x</code> | {} | {}", cut("1"), cut("2"));
    assert_eq!(values(&json!(long("1")), &json!(long("2"))), [expected]);
    let set = |last: usize| (0..100).chain([last]).map(|n| format!("principal {n}")).collect::<Vec<_>>();
    let expected = r#"<code>x</code> | <code>"principal 200"</code> | <code>"principal 300"</code>"#;
    assert_eq!(values(&json!(set(200)), &json!(set(300))), [expected]);
}

#[test]
fn nothing_in_a_value_is_markdown() {
    let text = "</code>[a](https://b) ![c](d) *e* _f_ g_h `i` |j| <k> ~~l~~ $m$ \\n &amp;";
    let expected = "<code>x</code> | unset | <code>\"&#60;/code&#62;&#91;a&#93;(https://b) &#33;&#91;c&#93;(d) &#42;e&#42; \
        &#95;f&#95; g_h &#96;i&#96; &#124;j&#124; &#60;k&#62; &#126;&#126;l&#126;&#126; &#36;m&#36; &#92;&#92;n &#38;amp&#59;\"</code>";
    assert_eq!(values(&json!(null), &json!(text)), [expected]);
    let names = json!({ "resource_changes": [{ "address": "a.b[\"*c*\"]", "change": {
        "actions": ["create"], "before": null, "after": { "id": "[d](e)\n| f |" } } }] });
    let row = "| <code>a.b&#91;\"&#42;c&#42;\"&#93;</code> | <code>&#91;d&#93;(e)&#92;n&#124; f &#124;</code> | (all) | missing | there |";
    assert_eq!(rows(&names), [row]);
}

#[test]
fn an_issue_has_room_for_it() {
    let resource = |n: usize| {
        json!({ "address": format!("a.b[{n}]"),
            "change": { "actions": ["update"], "before": { "x": "*".repeat(500) }, "after": { "x": "|".repeat(500) } } })
    };
    let changes: Vec<_> = (0..1000).map(resource).collect();
    let summary = summary(&json!({ "resource_changes": changes }));
    assert!(summary.chars().count() < 32_000, "{}", summary.chars().count());
    let rows = summary.lines().filter(|line| line.starts_with("| <")).count();
    assert!(rows > 5, "{summary}");
    let rest = format!("\nRows that are left out: {}. The log of the run has everything.\n", 1000 - rows);
    assert!(summary.ends_with(&rest), "{summary}");
}
