//! The Azure CLI, by a stand-in.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bed::SignInBed;
use crate::azure::Record;

/// A folder with an Azure CLI in it, which notes its command lines.
pub(super) struct AzureCli(TempDir);

impl AzureCli {
    /// One that is signed in like this: an identity is given no tenant.
    pub(super) fn signed_in(user: &Value, tenant: &str, token: &str) -> Self {
        let account = json!({ "id": "s", "name": "n", "tenantId": tenant, "user": user });
        let takes_tenant = user["type"] == "user" && user["cloudShellID"].is_null();
        let refused = "echo \"ERROR: Tenant shouldn't be specified for managed identity account\" >&2; exit 1";
        let with_tenant = if takes_tenant { "" } else { refused };
        Self::running(&format!(
            r#"case "$*" in
"account show"*) echo '{account}'; exit ;;
*--tenant*) {with_tenant} ;;
esac
echo "{{\"accessToken\": \"{token}\", \"tokenType\": \"Bearer\", \"expires_on\": $(($(date +%s) + 3600))}}"
"#
        ))
    }

    /// One that runs these lines.
    pub(super) fn running(lines: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, program) = (folder.path().join("log"), folder.path().join("az"));
        fs::write(&program, format!("#!/bin/sh\necho \"$*\" >> {}\n{lines}", log.display())).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it can be run");
        Self(folder)
    }

    /// `PATH` with it.
    pub(super) fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.path().display())
    }

    /// Its command lines so far.
    pub(super) fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl SignInBed {
    /// A CLI of this user in this tenant.
    async fn cli_of(&self, user: &Value, tenant: &str) -> AzureCli {
        let (named, http) = (|name: &str| crate::emulator::client::variable(&self.emulator, name), self.http());
        let (id, secret) = (named("ARM_CLIENT_ID"), named("ARM_CLIENT_SECRET"));
        let signed_in = crate::emulator::client::sign_in(&self.emulator, &http, &id, &secret).await;
        AzureCli::signed_in(user, tenant, signed_in.at("/access_token").as_str().expect("a token"))
    }

    fn http(&self) -> reqwest::Client {
        crate::emulator::client::client(&self.emulator)
    }
}

#[tokio::test]
async fn an_azure_cli_that_has_an_identity_for_its_account_is_asked_for_no_tenant() {
    let bed = SignInBed::new().await;
    let tenant = crate::emulator::client::variable(&bed.emulator, "ARM_TENANT_ID");
    let identity =
        json!({ "name": "systemAssignedIdentity", "type": "servicePrincipal", "assignedIdentityInfo": "MSI" });
    let cloud_shell = json!({ "name": "alice@x.test", "type": "user", "cloudShellID": true });
    let old = json!({ "name": "userAssignedIdentity", "type": "servicePrincipal" });
    let with = |cli: &AzureCli| bed.given("Azure CLI").around([("PATH", cli.path())]);
    for user in [&identity, &cloud_shell, &old] {
        let cli = bed.cli_of(user, &tenant.to_uppercase()).await;
        bed.plan(&with(&cli), true).await.ok();
        assert_eq!(bed.method(), "Azure CLI");
        let log = cli.log();
        let last = log.last().expect("a command");
        assert!(last.starts_with("account get-access-token") && !last.contains("--tenant"), "{log:?}");
    }

    // A token of another tenant is not what was asked for.
    let other = "10000000-0000-4000-8000-00000000000a";
    let cli = bed.cli_of(&identity, other).await;
    let plan = bed.plan(&with(&cli), true).await;
    let error = plan.error("could not sign in to Azure");
    assert!(["ARM_TENANT_ID", other].iter().all(|says| error.detail.contains(says)), "{error}");
    assert!(!bed.emulator.requests().iter().any(Record::is_arm));
}

#[tokio::test]
async fn the_azure_cli_is_asked_for_the_tenant_or_else_the_subscription() {
    let bed = SignInBed::new().await;
    let asked = async |block: Value| {
        let (mut written, around) = bed.as_written(&bed.given("Azure CLI").without("tenant_id"), true);
        written.as_object_mut().expect("a block").extend(block.as_object().expect("attributes").clone());
        let mut core = bed.core(written, &around);
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.ok();
        bed.cli.log().last().expect("a command").split("/.default").nth(1).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(asked(json!({})).await, "");
    assert_eq!(asked(json!({ "subscription_id": "u" })).await, "--subscription u");
    assert_eq!(asked(json!({ "subscription_id": "u", "tenant_id": "t" })).await, "--tenant t");
}
