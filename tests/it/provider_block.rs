//! What the provider block and the environment say, as Azure gets to see it.

use std::collections::BTreeSet;

use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    azure::{Emulator, Options, Record},
    support::core::{Core, Plan},
};

const PARTNER: &str = "12345678-0000-4000-8000-000000000000";

struct Bed {
    emulator: Emulator,
    environment: Vec<(String, String)>,
}

impl Bed {
    /// An emulator with a hub, and the variables that sign in to it.
    async fn new() -> Self {
        let emulator = Emulator::start(Options::quick()).await.expect("the emulator starts");
        let account = emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
        emulator.seed_storage_account(&account, json!({}));
        emulator.seed_hub(&Self::hub(&emulator), &account, json!({}));
        let environment = emulator.environment();
        Self { emulator, environment }
    }

    fn hub(emulator: &Emulator) -> String {
        emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1")
    }

    /// Plans something that looks at the hub, with this provider block and these variables besides.
    async fn plan(&self, block: Value, variables: &[(&str, &str)]) -> Plan {
        self.emulator.clear_requests();
        let mut core = self.environment.iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
        core = variables.iter().fold(core, |core, (name, value)| core.env(*name, *value));
        core.configure(block);
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": Self::hub(&self.emulator) })).await
    }

    /// The requests of such a plan, tokens and all.
    async fn sent(&self, block: Value, variables: &[(&str, &str)]) -> Vec<Record> {
        self.plan(block, variables).await.ok();
        let requests = self.emulator.requests();
        assert!(requests.iter().any(Record::is_arm));
        requests
    }
}

#[tokio::test]
async fn the_user_agent_names_engine_provider_and_partner() {
    let bed = Bed::new().await;
    let provider = concat!(" terraform-provider-foundryhub/", env!("CARGO_PKG_VERSION"));
    for (block, variables, end) in [
        (json!({}), &[][..], ""),
        (json!({}), &[("AZURE_HTTP_USER_AGENT", "pipeline/7"), ("ARM_PARTNER_ID", PARTNER)], " pipeline/7 pid-"),
        (json!({ "partner_id": PARTNER }), &[], " pid-"),
    ] {
        let end = if end.is_empty() { String::new() } else { format!("{end}{PARTNER}") };
        for request in bed.sent(block.clone(), variables).await.iter().filter(|request| request.is_arm()) {
            let said = &request.user_agent;
            assert!(said.starts_with("Terraform/") && said.ends_with(&format!("{provider}{end}")), "{said}");
        }
    }
}

#[tokio::test]
async fn the_correlation_id_is_one_at_random_or_fixed_or_left_out() {
    let bed = Bed::new().await;
    let ids = async |block, variables: &[(&str, &str)]| {
        let requests = bed.sent(block, variables).await.into_iter().filter(Record::is_arm);
        requests.map(|request| request.correlation_id).collect::<BTreeSet<_>>()
    };
    let random = ids(json!({}), &[]).await;
    assert!(matches!(random.first(), Some(Some(id)) if random.len() == 1 && Uuid::try_parse(id).is_ok()), "{random:?}");
    let fixed = ("ARM_CORRELATION_REQUEST_ID", "from-the-environment");
    assert_eq!(ids(json!({}), &[fixed]).await, [Some(fixed.1.to_owned())].into());
    let block = json!({ "custom_correlation_request_id": "from-the-block" });
    assert_eq!(ids(block, &[fixed]).await, [Some("from-the-block".to_owned())].into());
    assert_eq!(ids(json!({ "disable_correlation_request_id": true }), &[fixed]).await, [None].into());
    assert_eq!(ids(json!({}), &[("ARM_DISABLE_CORRELATION_REQUEST_ID", "true")]).await, [None].into());
}

/// The emulator knows one tenant only, so that the request for the first token of another is the last request.
#[tokio::test]
async fn tokens_of_auxiliary_tenants_are_asked_for() {
    let bed = Bed::new().await;
    let tenant = "10000000-0000-4000-8000-00000000000a";
    let several = format!("{tenant};10000000-0000-4000-8000-00000000000b");
    for (block, variable) in [(json!({ "auxiliary_tenant_ids": [tenant] }), ""), (json!({}), several.as_str())] {
        bed.plan(block, &[("ARM_AUXILIARY_TENANT_IDS", variable)]).await;
        let requests = bed.emulator.requests();
        assert!(requests.iter().any(|request| request.path == format!("/{tenant}/oauth2/v2.0/token")), "{requests:#?}");
        assert!(!requests.iter().any(Record::is_arm));
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let bed = Bed::new().await;
    let arm = |url: &str| json!({ "resource_manager_endpoint": url });
    for (block, variables, summary, path) in [
        (
            json!({ "endpoint": [arm("http://127.0.0.1:1")] }),
            &[][..],
            "Not an https address",
            "endpoint[0].resource_manager_endpoint",
        ),
        (
            json!({ "endpoint": [{ "active_directory_authority_host": "http://127.0.0.1:1" }] }),
            &[],
            "Not an https address",
            "endpoint[0].active_directory_authority_host",
        ),
        (json!({}), &[("ARM_RESOURCE_MANAGER_ENDPOINT", "http://127.0.0.1:1")], "Not an https address", "endpoint"),
        (json!({}), &[("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "login")], "Not an https address", "endpoint"),
        (
            json!({ "endpoint": [arm("https://a.test"), arm("https://b.test")] }),
            &[],
            "More than one endpoint",
            "endpoint",
        ),
        (
            json!({ "environment": "custom" }),
            &[("ARM_RESOURCE_MANAGER_ENDPOINT", "")],
            "A custom cloud without addresses",
            "endpoint",
        ),
        (json!({ "environment": "german" }), &[], "Unknown environment", "environment"),
        (json!({ "max_retries": -1 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "max_retries": 1001 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "max_retries": 0.5 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "auxiliary_tenant_ids": ["a", "b", "c", "d"] }), &[], "Too many tenants", "auxiliary_tenant_ids"),
        (json!({}), &[("ARM_AUXILIARY_TENANT_IDS", "a;b;c;d")], "Too many tenants", ""),
        (json!({ "partner_id": "me" }), &[], "Not a GUID", "partner_id"),
        (json!({}), &[("ARM_USE_MSI", "maybe")], "Unreadable environment variable", ""),
        (json!({}), &[("ARM_CLIENT_SECRET", "")], "No way to sign in to Azure", ""),
    ] {
        let plan = bed.plan(block.clone(), variables).await;
        assert_eq!(plan.error(summary).path, path, "{block} {variables:?}");
        assert_eq!(bed.emulator.requests(), [], "{block} {variables:?}");
    }
}
