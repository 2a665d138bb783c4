//! The page that has the article point by point (docs/guides/article.md): all points are there, and what it says in HCL is
//! what the schemas have.

use std::{collections::BTreeMap, fs};

use foundryhub::framework::{
    Value,
    schema::{Attribute, Kind},
    server::Provider as _,
};

use super::{provider, root};

/// How many points the article has (azure.md §7).
const POINTS: usize = 36;

/// What an engine itself has in a block.
const ENGINES: &[&str] = &["depends_on"];

/// A row of a table: the number of the point, and what stands in the column of this provider.
struct Row {
    number: usize,
    here: String,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("docs/guides/article.md")).expect("the page");
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for line in page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let cells: Vec<_> = line.split(" | ").collect();
        if cells[0] == "#" {
            columns = cells;
            continue;
        }
        assert_eq!(cells.len(), columns.len(), "{line}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
        let here = columns.iter().position(|column| *column == "with this provider").expect("the column");
        rows.push(Row { number: cells[0].parse().expect("a number"), here: cells[here].to_owned() });
    }
    rows
}

/// The attributes by the names of what has them: types of all kinds and the provider block.
fn attributes() -> BTreeMap<String, Vec<Attribute>> {
    let provider = provider();
    let mut all = BTreeMap::new();
    let mut add = |name: &str, attributes: Vec<Attribute>| {
        all.insert(name.to_owned(), attributes);
    };
    add("provider \"foundryhub\"", provider.schema().block.attributes);
    provider.resources().iter().for_each(|it| add(it.name(), it.schema().block.attributes.clone()));
    let data = |name: &str| format!("data.{name}");
    provider.data_sources().iter().for_each(|it| add(&data(it.name()), it.schema().block.attributes.clone()));
    provider.functions().iter().for_each(|it| add(&format!("provider::foundryhub::{}", it.name()), Vec::new()));
    all
}

/// The attribute at a path such as `identity.type`.
fn find<'a>(attributes: &'a [Attribute], path: &str) -> Option<&'a Attribute> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let found = attributes.iter().find(|attribute| attribute.name == name)?;
    match (rest, &found.kind) {
        (None, _) => Some(found),
        (Some(rest), Kind::Nested(_, inner)) => find(inner, rest),
        (Some(_), _) => None,
    }
}

/// What is wrong with a value in HCL, such as `"identity"` and `false`, for an attribute.
fn fault(attribute: &Attribute, text: &str) -> Option<String> {
    let value = match text {
        "true" | "false" => Value::from(text == "true"),
        _ => Value::from(text.strip_prefix('"').and_then(|text| text.strip_suffix('"'))?.to_owned()),
    };
    attribute.check.and_then(|check| check(&value).err()).map(|refusal| refusal.detail)
}

#[test]
fn every_point_of_the_article_is_there_once() {
    let numbers: Vec<_> = rows().iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=POINTS).collect::<Vec<_>>());
}

/// Code in a row names things, and attributes of the things that the row names, or of what a row above is about.
#[test]
fn names_and_values_in_hcl_are_those_of_the_schemas() {
    let all = attributes();
    let mut checked = 0;
    for Row { number, here } in rows() {
        let code: Vec<_> = here.split('`').skip(1).step_by(2).collect();
        let (named, rest): (Vec<&str>, Vec<&str>) = code.into_iter().partition(|code| all.contains_key(*code));
        for code in rest.iter().filter(|code| !ENGINES.contains(code)) {
            let (path, value) = code.split_once(" = ").map_or((*code, None), |(path, value)| (path, Some(value)));
            let found: Vec<_> = named.iter().filter_map(|thing| find(&all[*thing], path)).collect();
            assert!(!found.is_empty(), "{number}: {named:?} have no {code:?}");
            let faults: Vec<_> =
                value.into_iter().flat_map(|value| found.iter().filter_map(|it| fault(it, value))).collect();
            assert!(faults.is_empty(), "{number}: {code}: {faults:?}");
            checked += 1;
        }
    }
    assert!(checked > POINTS, "{checked}");
}

#[test]
fn names_and_values_that_are_wrong_are_found() {
    let all = attributes();
    let auth = &all["foundryhub_storage_auth"];
    assert!(find(auth, "original.shared_access_key_enabled").is_some());
    assert!(find(auth, "original.mode").is_none() && find(auth, "mode").is_none() && find(auth, "hub_id.x").is_none());
    let mode = find(auth, "system_datastores_auth_mode").expect("the mode");
    assert_eq!(fault(mode, "\"accesskey\""), None);
    assert!(fault(mode, "\"keys\"").is_some());
}
