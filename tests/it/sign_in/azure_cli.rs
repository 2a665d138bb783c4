//! The Azure CLI, by a stand-in.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::bed::{CERTIFIED, IDENTITY, SignInBed};
use crate::{azure::Record, emulator::client::variable, support::engine::for_each_engine};

/// A folder with an Azure CLI in it, which notes its command lines.
pub(super) struct AzureCli(TempDir);

/// Who is signed in to an Azure CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    User,
    ServicePrincipal,
    SystemAssigned,
    UserAssigned,
    CloudShell,
}

impl Account {
    const ALL: [Self; 5] =
        [Self::User, Self::ServicePrincipal, Self::SystemAssigned, Self::UserAssigned, Self::CloudShell];

    /// The user of the account, as `az account show` prints it.
    fn user(self) -> Value {
        match self {
            Self::User => json!({ "name": "alice@x.test", "type": "user" }),
            Self::ServicePrincipal => json!({ "name": CERTIFIED, "type": "servicePrincipal" }),
            Self::SystemAssigned => {
                json!({ "assignedIdentityInfo": "MSI", "name": "systemAssignedIdentity", "type": "servicePrincipal" })
            }
            Self::UserAssigned => {
                let info = format!("MSIClient-{IDENTITY}");
                json!({ "assignedIdentityInfo": info, "name": "userAssignedIdentity", "type": "servicePrincipal" })
            }
            Self::CloudShell => json!({ "cloudShellID": true, "name": "alice@x.test", "type": "user" }),
        }
    }

    /// What is said when a tenant is asked for, by accounts that have tokens of one tenant only.
    fn refuses_tenants(self) -> Option<&'static str> {
        match self {
            Self::User | Self::ServicePrincipal => None,
            Self::SystemAssigned | Self::UserAssigned => {
                Some("Tenant shouldn't be specified for managed identity account")
            }
            Self::CloudShell => Some("Tenant shouldn't be specified for Cloud Shell account"),
        }
    }
}

impl AzureCli {
    /// One that is signed in with this account to this subscription and tenant, has this token, and prints what the real
    /// one prints (Azure/azure-cli, src/azure-cli-core/azure/cli/core/_profile.py, `get_raw_token`).
    pub(super) fn signed_in(account: Account, subscription: &str, tenant: &str, token: &str) -> Self {
        let shown = json!({
            "environmentName": "AzureCloud", "homeTenantId": tenant, "id": subscription, "isDefault": true,
            "managedByTenants": [], "name": "Pay-As-You-Go", "state": "Enabled", "tenantId": tenant,
            "user": account.user(),
        });
        let refusal = account.refuses_tenants().unwrap_or_default();
        let ends = OffsetDateTime::now_utc() + time::Duration::HOUR;
        let (date, time) = (ends.date(), ends.time());
        let (hour, minute, second) = time.as_hms();
        let date_and_time = format!("{date} {hour:02}:{minute:02}:{second:02}.000000");
        let expires = ends.unix_timestamp();
        Self::running(&format!(
            r#"fail() {{ echo "ERROR: $1" >&2; exit 1; }}
command="$1 $2" tenant= subscription=
while [ $# -gt 0 ]; do
    case "$1" in --tenant) tenant=$2 ;; --subscription) subscription=$2 ;; esac
    shift
done
[ "$command" != "account show" ] || {{ echo '{shown}'; exit; }}
[ "$command" = "account get-access-token" ] || fail "'$command' is misspelled or not recognized by the system."
[ -z "$tenant" ] || [ -z "$subscription" ] || fail "Please specify only one of subscription and tenant, not both"
[ -z "$subscription" ] || [ "$subscription" = "{subscription}" ] ||
    fail "Subscription '$subscription' not found. Check the spelling and casing and try again."
refusal="{refusal}"
[ -z "$tenant" ] || [ -z "$refusal" ] || fail "$refusal"
# It names its subscription only where no tenant is asked for.
named=
[ -n "$tenant" ] || named='
  "subscription": "{subscription}",'
cat <<END
{{
  "accessToken": "{token}",
  "expiresOn": "{date_and_time}",
  "expires_on": {expires},$named
  "tenant": "${{tenant:-{tenant}}}",
  "tokenType": "Bearer"
}}
END
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
    /// A CLI that is signed in with this account to this tenant.
    fn azure_cli(&self, account: Account, tenant: &str) -> AzureCli {
        AzureCli::signed_in(account, &variable(&self.emulator, "ARM_SUBSCRIPTION_ID"), tenant, &self.token)
    }
}

/// What a CLI was asked for after the scope, each time that it was asked for a token.
fn asked_for(cli: &AzureCli) -> Vec<String> {
    let log = cli.log();
    let asked = log.iter().filter(|line| line.starts_with("account get-access-token"));
    asked.map(|line| line.split("/.default").nth(1).unwrap_or_default().trim().to_owned()).collect()
}

/// The provider asks for its tenant; only an account that takes none is asked without.
#[tokio::test]
async fn every_account_of_the_azure_cli_signs_in_on_every_engine() {
    for_each_engine(async |engine| {
        let bed = SignInBed::new().await;
        let tenant = variable(&bed.emulator, "ARM_TENANT_ID");
        for account in Account::ALL {
            for in_block in [true, false] {
                let cli = bed.azure_cli(account, &tenant);
                let given = bed.given("Azure CLI").around([("PATH", cli.path())]);
                bed.plan_on(engine, &given, in_block).await;
                assert_eq!(bed.method(), "Azure CLI", "{engine} {account:?} {in_block}");
                let with_tenant = format!("--tenant {tenant}");
                let expected = match account.refuses_tenants() {
                    None => vec![with_tenant],
                    Some(_) => vec![with_tenant, String::new()],
                };
                assert_eq!(asked_for(&cli), expected, "{engine} {account:?} {in_block}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_azure_cli_that_has_an_identity_for_its_account_is_asked_for_no_tenant() {
    let bed = SignInBed::new().await;
    let tenant = variable(&bed.emulator, "ARM_TENANT_ID");
    let with = |cli: &AzureCli| bed.given("Azure CLI").around([("PATH", cli.path())]);
    for account in [Account::SystemAssigned, Account::UserAssigned, Account::CloudShell] {
        let cli = bed.azure_cli(account, &tenant.to_uppercase());
        bed.plan(&with(&cli), true).await.ok();
        assert_eq!(bed.method(), "Azure CLI");
        assert_eq!(asked_for(&cli).last().map(String::as_str), Some(""), "{account:?}");

        // A token of another tenant is not what was asked for.
        let other = "10000000-0000-4000-8000-00000000000a";
        let cli = bed.azure_cli(account, other);
        let plan = bed.plan(&with(&cli), true).await;
        let error = plan.error("could not sign in to Azure");
        assert!(["ARM_TENANT_ID", other].iter().all(|says| error.detail.contains(says)), "{error}");
        assert!(!bed.emulator.requests().iter().any(Record::is_arm));
    }
}

/// The domain of a tenant does not say which one it is, so the account's own is taken for it.
#[tokio::test]
async fn an_azure_cli_is_asked_for_a_tenant_by_its_domain() {
    let bed = SignInBed::new().await;
    let tenant = variable(&bed.emulator, "ARM_TENANT_ID");
    let domain = "contoso.onmicrosoft.com";
    for account in Account::ALL {
        let cli = bed.azure_cli(account, &tenant);
        let given = bed.given("Azure CLI").setting("tenant_id", json!(domain)).around([("PATH", cli.path())]);
        bed.plan(&given, true).await.ok();
        assert_eq!(asked_for(&cli)[0], format!("--tenant {domain}"), "{account:?}");
    }
}

#[tokio::test]
async fn an_azure_cli_is_asked_for_auxiliary_tenants_too_and_an_identity_has_no_tokens_of_them() {
    let bed = SignInBed::new().await;
    let tenant = variable(&bed.emulator, "ARM_TENANT_ID");
    let other = "10000000-0000-4000-8000-00000000000a";
    for account in Account::ALL {
        let cli = bed.azure_cli(account, &tenant);
        let given = bed.given("Azure CLI").around([("PATH", cli.path())]);
        let (mut block, around) = bed.as_written(&given, true);
        block["auxiliary_tenant_ids"] = json!([other]);
        let mut core = bed.core(block, &around);
        let plan = core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await;
        if account.refuses_tenants().is_some() {
            let error = plan.error("could not sign in to Azure");
            let says = ["auxiliary_tenant_ids", &tenant, other];
            assert!(says.iter().all(|says| error.detail.contains(says)), "{account:?}: {error}");
        } else {
            plan.ok();
            assert_eq!(asked_for(&cli), [format!("--tenant {tenant}"), format!("--tenant {other}")], "{account:?}");
        }
    }
}

#[tokio::test]
async fn the_azure_cli_is_asked_for_the_tenant_or_else_the_subscription() {
    let bed = SignInBed::new().await;
    let subscription = variable(&bed.emulator, "ARM_SUBSCRIPTION_ID");
    let plan = async |block: Value| {
        let (mut written, around) = bed.as_written(&bed.given("Azure CLI").without("tenant_id"), true);
        written.as_object_mut().expect("a block").extend(block.as_object().expect("attributes").clone());
        let mut core = bed.core(written, &around);
        let plan = core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await;
        (plan, asked_for(&bed.cli).last().expect("a command").clone())
    };
    for (block, expected) in [
        (json!({}), String::new()),
        (json!({ "subscription_id": subscription }), format!("--subscription {subscription}")),
        (json!({ "subscription_id": subscription, "tenant_id": "t" }), "--tenant t".to_owned()),
    ] {
        let (plan, asked) = plan(block).await;
        plan.ok();
        assert_eq!(asked, expected);
    }
    let unknown = "00000000-0000-0000-0000-000000000009";
    let (plan, _) = plan(json!({ "subscription_id": unknown })).await;
    let error = plan.error("could not sign in to Azure");
    assert!(error.detail.contains(&format!("Subscription '{unknown}' not found")), "{error}");
}

/// What names no subscription is read in that of the account, if none is configured.
#[tokio::test]
async fn the_subscription_of_the_azure_cli_is_the_one_to_list_hubs_in() {
    let bed = SignInBed::new().await;
    let subscription = variable(&bed.emulator, "ARM_SUBSCRIPTION_ID");
    let (block, around) = bed.as_written(&bed.given("Azure CLI"), true);
    let mut core = bed.core(block, &around);
    let (data, diagnostics) = core.read_data("foundryhub_hubs", json!({})).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!((&data["subscription_id"], &data["hubs"][0]["id"]), (&json!(subscription), &json!(bed.hub())));
    let (data, diagnostics) =
        core.read_data("foundryhub_hub", json!({ "name": "hub1", "resource_group_name": "rg1" })).await;
    assert_eq!((diagnostics.0, &data["id"]), (vec![], &json!(bed.hub())));
}
