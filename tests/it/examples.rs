//! The commands that the documentation shows, as they stand.

use std::{fs, path::Path};

use crate::{
    azure::{Emulator, Options},
    support::core::{Core, ImportFrom},
};

/// The resources whose ids the commands have.
const SEED: &str = "
principals:
  - { id: 11111111-1111-1111-1111-111111111111, type: Group }
  - { id: 33333333-3333-3333-3333-333333333333, type: User }
storage_accounts:
  - { name: sa1, resource_group: rg1, properties: { allowSharedKeyAccess: true } }
workspaces:
  - { name: hub1, resource_group: rg1, kind: Hub, properties: { storageAccount: sa1 } }
  - { name: hub-example, resource_group: rg1, kind: Hub, properties: { storageAccount: sa1 } }
role_assignments:
  - { scope: sa1, principal: 11111111-1111-1111-1111-111111111111, role: Storage Blob Data Reader }
  - { scope: sa1, principal: 11111111-1111-1111-1111-111111111111, role: Storage File Data Privileged Reader }
  - scope: sa1
    principal: 33333333-3333-3333-3333-333333333333
    role: Storage Blob Data Reader
    name: 22222222-2222-2222-2222-222222222222
";

/// The address and the id of a command, which a shell would pass on as they are here.
fn import(command: &str) -> (&str, &str, &str) {
    let arguments = command.strip_prefix("terraform import ").unwrap_or_else(|| panic!("no import: {command}"));
    let (address, id) = arguments.split_once(" '").unwrap_or_else(|| panic!("no quoted id: {command}"));
    let (type_name, name) = address.split_once('.').unwrap_or_else(|| panic!("no address: {address}"));
    let id = id.strip_suffix('\'').unwrap_or_else(|| panic!("no closing quote: {command}"));
    assert!(!id.contains('\''), "a quote within quotes: {command}");
    (type_name, name, id)
}

#[tokio::test]
async fn every_import_command_of_the_documentation_works() {
    let subscription_id = "00000000-0000-0000-0000-000000000000".to_owned();
    let emulator = Emulator::start(Options { subscription_id, ..Options::quick() }).await.expect("the emulator starts");
    emulator.seed(SEED);
    let mut core = emulator.environment().into_iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resources");
    let mut found = 0;
    for folder in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()) {
        let script = fs::read_to_string(folder.join("import.sh")).unwrap();
        for command in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (type_name, name, id) = import(command);
            assert!(folder.ends_with(type_name), "{command} stands in {}", folder.display());
            core.import(type_name, name, ImportFrom::Id(id.to_owned())).await.quiet();
            assert!(!core.state(type_name, name).is_null(), "{command}");
            assert!(!core.identity(type_name, name).is_null(), "{command}");
            found += 1;
        }
    }
    assert!(found >= 3, "{found} commands");
}
