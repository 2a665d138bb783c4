//! The `.proto` files against the tables of both gRPC packages in `tests/data`: names, numbers, labels and types.

use std::{collections::BTreeSet, fs, path::Path};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

#[test]
fn the_provider_protocol_has_every_row_of_its_table_and_no_other() {
    check("tfplugin6.proto", "tfplugin6.tsv");
}

#[test]
fn the_plugin_protocol_has_every_row_of_its_table_and_no_other() {
    check("go_plugin.proto", "go_plugin.tsv");
}

fn check(proto: &str, table: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let set = protox::compile([proto], [root.join("proto")]).expect("the file compiles");
    let file = set.file.iter().find(|file| file.name() == proto).expect("the set has the file");
    let ours = rows(file);
    let table = fs::read_to_string(root.join("tests/data").join(table)).expect("the table is there");
    let theirs: BTreeSet<_> = table.lines().skip(1).map(|line| line.trim_end().to_owned()).collect();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let surplus: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:#?}\nsurplus: {surplus:#?}");
}

fn rows(file: &FileDescriptorProto) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for message in &file.message_type {
        message_rows(file.package(), message, &mut rows);
    }
    for declared in &file.enum_type {
        enum_rows(file.package(), declared, &mut rows);
    }
    for service in &file.service {
        for method in &service.method {
            let label = [("client-stream", method.client_streaming()), ("server-stream", method.server_streaming())];
            let label: Vec<_> = label.iter().filter(|(_, streams)| *streams).map(|(label, _)| *label).collect();
            let types = format!("{} -> {}", unrooted(method.input_type()), unrooted(method.output_type()));
            let name = format!("{}.{}.{}", file.package(), service.name(), method.name());
            rows.insert(row("rpc", &name, "", &label.join(" "), &types));
        }
    }
    rows
}

fn message_rows(scope: &str, message: &DescriptorProto, rows: &mut BTreeSet<String>) {
    let scope = format!("{scope}.{}", message.name());
    rows.insert(row("message", &scope, "", "", ""));
    let is_map_entry =
        |nested: &&DescriptorProto| nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry);
    for field in &message.field {
        let entry = message
            .nested_type
            .iter()
            .filter(is_map_entry)
            .find(|nested| unrooted(field.type_name()) == format!("{scope}.{}", nested.name()));
        let (label, ty) = match entry {
            Some(entry) => {
                ("".to_owned(), format!("map<{}>", entry.field.iter().map(type_name).collect::<Vec<_>>().join(",")))
            }
            None => (label(message, field), type_name(field)),
        };
        rows.insert(row("field", &format!("{scope}.{}", field.name()), &field.number().to_string(), &label, &ty));
    }
    for nested in message.nested_type.iter().filter(|nested| !is_map_entry(nested)) {
        message_rows(&scope, nested, rows);
    }
    for declared in &message.enum_type {
        enum_rows(&scope, declared, rows);
    }
}

fn enum_rows(scope: &str, declared: &EnumDescriptorProto, rows: &mut BTreeSet<String>) {
    let scope = format!("{scope}.{}", declared.name());
    rows.insert(row("enum", &scope, "", "", ""));
    for value in &declared.value {
        rows.insert(row("value", &format!("{scope}.{}", value.name()), &value.number().to_string(), "", ""));
    }
}

fn label(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    if field.proto3_optional() {
        "optional".to_owned()
    } else if let Some(index) = field.oneof_index {
        format!("oneof {}", message.oneof_decl[index as usize].name())
    } else if field.label() == Label::Repeated {
        "repeated".to_owned()
    } else {
        String::new()
    }
}

fn type_name(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => unrooted(field.type_name()).to_owned(),
        primitive => primitive.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn unrooted(name: &str) -> &str {
    name.trim_start_matches('.')
}

fn row(kind: &str, name: &str, number: &str, label: &str, ty: &str) -> String {
    format!("{kind}\t{name}\t{number}\t{label}\t{ty}").trim_end().to_owned()
}
