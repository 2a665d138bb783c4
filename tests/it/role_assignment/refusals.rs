//! What the provider refuses before anything is sent and what Azure refuses, and how each is explained.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, BOB, Bed, NEW, TYPE, bed, bed_with, name_of};
use crate::azure::{Action as Fault, Principals, Rule};
use crate::support::core::{Action, UNKNOWN};

// Before anything is sent.

#[tokio::test]
async fn invalid_input_is_refused_at_its_attribute_before_anything_is_sent() {
    let mut bed = bed().await;
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    let role_id = |guid: &str| format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}");
    let many = [
        (json!({ "hub_id": "hub1", "access": "reader" }), "hub_id", "does not start with a slash"),
        (
            json!({ "hub_id": account, "access": "reader" }),
            "hub_id",
            "is the id of a Microsoft.Storage/storageAccounts",
        ),
        (
            json!({ "storage_account_id": hub, "access": "reader" }),
            "storage_account_id",
            "is the id of a Microsoft.Mach",
        ),
        (json!({ "scope": "/x//y", "access": "reader" }), "scope", "empty or relative segment"),
        (json!({ "access": "reader" }), "hub_id", "Set hub_id, storage_account_id or scope"),
        (
            json!({ "storage_account_id": account, "scope": format!("{account}2"), "access": "reader" }),
            "scope",
            "agree",
        ),
        (
            json!({ "hub_id": hub, "access": "reader", "principal_id": "alice@example.com" }),
            "principal_id",
            "not a GUID",
        ),
        (json!({ "hub_id": hub, "access": "reader", "principal_type": "MSI" }), "principal_type", "ServicePrincipal"),
        (json!({ "hub_id": hub }), "access", "Set access, scenario"),
        (json!({ "hub_id": hub, "access": "reader", "scenario": "own_data" }), "scenario", "exclude each other"),
        (
            json!({ "hub_id": hub, "access": "reader", "role_definition_id": BLOB_READER }),
            "role_definition_id",
            "exclude",
        ),
        (json!({ "hub_id": hub, "access": "owner" }), "access", "contributor, reader"),
        (json!({ "hub_id": hub, "scenario": "gaming" }), "scenario", "ai_speech, fine_tuning, prompt_flow, own_data"),
        (json!({ "hub_id": hub, "scenario": "model_as_a_service" }), "scenario", "which the platform assigns"),
        (json!({ "hub_id": hub, "scenario": "azure_search" }), "scenario", "which the platform assigns"),
        (json!({ "hub_id": hub, "role_definition_name": " " }), "role_definition_name", "The text is blank"),
        (
            json!({ "hub_id": hub, "role_definition_id": "Reader" }),
            "role_definition_id",
            "is not of the form {guid} or {scope}/providers",
        ),
        (
            json!({ "hub_id": hub, "role_definition_name": "Reader", "role_definition_id": role_id(BLOB_READER) }),
            "role_definition_id",
            "is that of \"Storage Blob Data Reader\"",
        ),
        (json!({ "hub_id": hub, "access": "reader", "condition": "c" }), "condition", "several"),
        (
            json!({ "hub_id": hub, "access": "reader", "condition_version": "2.0" }),
            "condition_version",
            "The condition is not set",
        ),
        (
            json!({ "hub_id": hub, "role_definition_name": "Reader", "condition": "c", "condition_version": "1.0" }),
            "condition_version",
            "2.0",
        ),
        (json!({ "hub_id": hub, "access": "reader", "on_existing": "ignore" }), "on_existing", "fail, adopt"),
        (
            json!({ "hub_id": hub, "access": "reader", "principal_propagation_timeout": "soon" }),
            "principal_propagation_timeout",
            "not a duration",
        ),
        (
            json!({ "hub_id": hub, "access": "reader", "delegated_managed_identity_resource_id": "mi" }),
            "delegated_managed_identity_resource_id",
            "start with a slash",
        ),
        (json!({ "hub_id": hub, "access": "reader", "timeouts": { "create": "5" } }), "timeouts.create", "duration"),
    ];
    for (mut config, path, text) in many {
        if config["principal_id"].is_null() {
            config["principal_id"] = json!(ALICE);
        }
        let found = bed.core.validate(TYPE, "a", config.clone()).await;
        assert_eq!(found.error(text).path, path, "{config}: {found}");
    }
    assert_eq!(bed.emulator.requests(), []);
}

/// While an engine validates, variables have no values yet.
#[tokio::test]
async fn unknown_values_that_may_be_null_are_not_refused() {
    let mut bed = bed().await;
    let all = ["access", "scenario", "role_definition_name", "role_definition_id", "condition", "condition_version"];
    let unknown: Value = all.map(|name| (name.to_owned(), json!(UNKNOWN))).into_iter().collect();
    for (name, value) in [("access", json!("reader")), ("scenario", json!(UNKNOWN)), ("condition", json!(null))] {
        let mut config = unknown.clone();
        config["hub_id"] = json!(bed.hub);
        config["principal_id"] = json!(ALICE);
        config[name] = value;
        assert_eq!(bed.core.validate(TYPE, "a", config).await.0, [], "{name}");
    }
}

#[tokio::test]
async fn a_scenario_warns_about_an_unusual_principal() {
    let mut bed = bed().await;
    for (scenario, kind, unusual) in [
        ("fine_tuning", "User", true),
        ("fine_tuning", "ServicePrincipal", false),
        ("own_data", "ServicePrincipal", true),
        ("own_data", "Group", false),
    ] {
        let config = json!({ "hub_id": bed.hub, "principal_id": ALICE, "scenario": scenario, "principal_type": kind });
        let found = bed.core.validate(TYPE, "a", config).await;
        assert!(!found.has_errors());
        assert_eq!(found.0.iter().any(|found| found.path == "principal_type"), unusual, "{scenario} {kind}: {found}");
    }
}

#[tokio::test]
async fn every_scenario_grants_what_its_row_of_the_article_says() {
    let mut bed = bed().await;
    for (scenario, roles) in [
        ("ai_speech", &["Storage Blob Data Contributor", "Storage File Data Privileged Contributor"][..]),
        ("fine_tuning", &["Storage Blob Data Contributor"]),
        ("prompt_flow", &["Storage Blob Data Contributor", "Storage File Data Privileged Contributor"]),
        ("own_data", &["Storage Blob Data Contributor"]),
    ] {
        bed.apply(&json!({ "hub_id": bed.hub, "principal_id": ALICE, "scenario": scenario })).await.ok();
        let recorded = bed.recorded();
        assert_eq!(recorded.iter().map(|(role, _)| role.as_str()).collect::<Vec<_>>(), roles, "{scenario}");
    }
}

// What does not exist, or not yet.

#[tokio::test]
async fn a_role_name_that_does_not_exist_is_an_error_that_suggests_the_closest_name() {
    let mut bed = bed().await;
    bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.quiet();
    bed.emulator.clear_requests();
    let config = bed.by_account(ALICE, "Storage Blob Data Contributer");
    let planned = bed.plan(&config).await.ok();
    let warning = planned.warning("The role does not exist");
    assert_eq!(warning.path, "role_definition_name");
    assert!(warning.detail.contains("Did you mean \"Storage Blob Data Contributor\""), "{}", warning.detail);
    let report = bed.core.apply_saved(planned).await.failed();
    assert_eq!(report.error("The role does not exist").path, "role_definition_name");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
    assert_eq!(bed.recorded().len(), 1);
}

#[tokio::test]
async fn a_hub_that_does_not_exist_is_a_warning_at_plan_and_an_error_at_apply() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": format!("{}9", bed.hub), "principal_id": ALICE, "access": "reader" });
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.warning("The hub does not exist").path, "hub_id");
    assert_eq!(planned.change().planned["scope"], UNKNOWN);
    let report = bed.core.apply_saved(planned).await.failed();
    assert_eq!(report.error("The hub does not exist").path, "hub_id");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn a_project_is_refused_with_the_id_of_its_hub() {
    let mut bed = bed().await;
    let project = bed.hub.replace("hub1", "project1");
    bed.emulator.seed(&format!(
        "workspaces: [{{ name: project1, resource_group: rg1, kind: Project, properties: {{ hubResourceId: {:?} }} }}]",
        bed.hub
    ));
    let config = json!({ "hub_id": project, "principal_id": ALICE, "access": "reader" });
    let plan = bed.plan(&config).await;
    assert!(plan.error("is a project").detail.contains(&format!("Set hub_id to its hub:\n{}", bed.hub)));
}

#[tokio::test]
async fn targets_that_disagree_with_the_hub_are_refused() {
    let mut bed = bed().await;
    let mut config = bed.by_hub(ALICE, "reader");
    config["storage_account_id"] = json!(bed.account.replace("sa1", "sa2"));
    assert_eq!(bed.plan(&config).await.error("The scope is named twice").path, "storage_account_id");
    config["storage_account_id"] = json!(bed.account);
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn unknown_values_of_every_attribute_are_planned_and_applied() {
    let mut bed = bed().await;
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    for (attribute, target, role, value) in [
        ("principal_id", "hub_id", "access", "reader"),
        ("hub_id", "hub_id", "access", "reader"),
        ("scope", "scope", "access", "reader"),
        ("access", "hub_id", "access", "reader"),
        ("scenario", "hub_id", "scenario", "own_data"),
        ("role_definition_name", "hub_id", "role_definition_name", "storage blob data reader"),
        ("role_definition_id", "scope", "role_definition_id", BLOB_READER),
        ("principal_type", "hub_id", "access", "reader"),
        ("description", "hub_id", "access", "reader"),
    ] {
        let id = if target == "scope" { &account } else { &hub };
        let known = json!({
            target: id, "principal_id": ALICE, role: value, "principal_type": "User", "description": "why",
        });
        let mut config = known.clone();
        config[attribute] = json!(UNKNOWN);
        let planned = bed.plan(&config).await.ok();
        assert_eq!((planned.action(), &planned.change().planned[attribute]), (Action::Create, &json!(UNKNOWN)));
        bed.core.apply_saved(planned.knowing(known.clone())).await.quiet();
        assert_eq!(bed.state()["principal_id"], ALICE);
        bed.plan(&known).await.ok().assert_empty();

        // The same in an update, except for attributes that replace.
        if attribute != "principal_id" && attribute != "principal_type" {
            let planned = bed.plan(&config).await.ok();
            assert_eq!(planned.action(), Action::Update, "{attribute}");
            bed.emulator.clear_requests();
            bed.core.apply_saved(planned.knowing(known.clone())).await.quiet();
            assert_eq!(bed.writes(), [""; 0], "{attribute}");
            bed.plan(&known).await.ok().assert_empty();
        }
        bed.core.destroy(TYPE, "a").await.quiet();
    }
}

#[tokio::test]
async fn a_provider_with_unknown_configuration_plans_creates_without_a_request() {
    let mut bed = bed().await;
    bed.core.configure(json!({ "tenant_id": UNKNOWN }));
    for config in [bed.by_hub(ALICE, "reader"), bed.by_account(ALICE, "My own role")] {
        let planned = bed.plan(&config).await.ok();
        assert_eq!((planned.action(), planned.diagnostics.0.len()), (Action::Create, 0));
    }
    assert_eq!(bed.emulator.requests(), []);
    bed.core.configure(json!({}));
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    bed.core.configure(json!({ "tenant_id": UNKNOWN }));
    bed.plan(&bed.by_hub(ALICE, "reader")).await.error("The provider is not configured yet");
}

// What Azure refuses.

/// The attribute path and the text of the error when Azure answers the PUT of a create with this error.
async fn refused(status: u16, code: &str, message: &str) -> (Bed, String, String) {
    let mut bed = bed().await;
    bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Status(status)).code(code).message(message));
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    config["principal_propagation_timeout"] = json!("0s");
    let report = bed.apply(&config).await.failed();
    let error = report.diagnostics.0.iter().find(|found| found.is_error).expect("an error");
    let explained = (error.path.clone(), format!("{}\n{}", error.summary, error.detail));
    assert!(explained.1.contains(code) && explained.1.contains("correlation id"), "{}", explained.1);
    assert_eq!(bed.state(), Value::Null);
    (bed, explained.0, explained.1)
}

#[tokio::test]
async fn each_error_code_of_azure_says_what_to_do() {
    for (status, code, path, said) in [
        (400, "PrincipalNotFound", "principal_id", "client id (application id) of an application"),
        (400, "UnmatchedPrincipalType", "principal_type", "Managed identities and applications are ServicePrincipal"),
        (400, "InvalidPrincipalId", "principal_id", "object id"),
        (400, "RoleAssignmentUpdateNotPermitted", "", "az role assignment delete --ids"),
        (400, "RoleAssignmentLimitExceeded", "", "Assign the roles to a group"),
        (400, "RoleDefinitionDoesNotExist", "", "assignable scopes"),
        (403, "RequestDisallowedByPolicy", "", "exemption"),
        (409, "ReadOnlyDisabledSubscription", "", "disabled subscription"),
        (404, "ResourceNotFound", "", "Check the target"),
    ] {
        let (_, found, text) = refused(status, code, "Azure's own words.").await;
        assert_eq!(found, path, "{code}");
        assert!(text.contains(said) && text.contains("Azure's own words."), "{code}: {text}");
    }
}

/// Here the emulator refuses by its own rules.
#[tokio::test]
async fn a_create_that_azure_refuses_by_a_limit_a_taken_name_or_a_lock_is_explained_and_leaves_nothing() {
    let reader = "Storage Blob Data Reader";
    let mut bed = bed_with(|options| options.assignment_limit = 0).await;
    let config = bed.by_account(ALICE, reader);
    let report = bed.apply(&config).await.failed();
    assert!(report.error("The limit of role assignments is reached").detail.contains("Assign the roles to a group"));
    assert_eq!(bed.state(), Value::Null);
    bed.emulator.configure(|options| options.assignment_limit = 4000);

    // The name is unique in the tenant, and somebody has given it to something else.
    bed.apply(&config).await.quiet();
    let (_, id) = bed.recorded().remove(0);
    let name = name_of(&id).to_owned();
    bed.core.destroy(TYPE, "a").await.quiet();
    bed.emulator.seed(&format!("role_assignments: [{{ scope: sa1, principal: {BOB}, role: Reader, name: {name} }}]"));
    let report = bed.apply(&config).await.failed();
    let error = report.error("The name of the assignment is taken");
    assert!(error.detail.contains(&format!("az role assignment delete --ids {id}")), "{error}");
    assert!(error.detail.contains("RoleAssignmentUpdateNotPermitted"), "{error}");
    assert!(bed.emulator.remove_assignment(&name));

    bed.emulator.seed("locks: [{ scope: sa1, level: ReadOnly }]");
    let report = bed.apply(&config).await.failed();
    assert!(report.error("A lock prevents the change").detail.contains("ScopeLocked"));
    assert_eq!((bed.state(), bed.held(ALICE, &bed.account).len()), (Value::Null, 0));

    let mut bed =
        bed_with(|options| options.disabled_subscription = vec!["22222222-2222-2222-2222-222222222222".to_owned()])
            .await;
    let report = bed.apply(&config).await.failed();
    assert!(report.error("The subscription is disabled").detail.contains("ReadOnlyDisabledSubscription"));
    assert_eq!(bed.state(), Value::Null);
}

#[tokio::test]
async fn a_missing_permission_is_named_with_its_scope_and_the_roles_that_have_it() {
    let mut bed = bed().await;
    bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Denied));
    let report = bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.failed();
    let error = report.error("Not allowed to assign roles");
    for text in [
        "Microsoft.Authorization/roleAssignments/write on",
        bed.account.as_str(),
        "Owner, User Access Administrator and Role Based Access Control Administrator",
    ] {
        assert!(error.detail.contains(text), "{text}: {}", error.detail);
    }
    bed.emulator.clear_faults();
    bed.apply(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.quiet();
    bed.emulator.fault(Rule::on("DELETE", "*/roleAssignments/*", Fault::Denied));
    let report = bed.core.destroy(TYPE, "a").await.failed();
    assert!(report.error("Not allowed to delete").detail.contains("Microsoft.Authorization/roleAssignments/delete"));
    assert_eq!(bed.recorded().len(), 1);
    bed.emulator.fault(Rule::on("GET", "*/roleAssignments/*", Fault::Denied));
    let plan = bed.plan(&bed.by_account(ALICE, "Storage Blob Data Reader")).await;
    assert!(plan.error("Cannot read").detail.contains("roleAssignments/read"));
}

/// The caller may grant roles on the account and do nothing else.
#[tokio::test]
async fn storage_account_id_needs_only_the_permission_to_assign_roles_and_hub_id_also_to_read_the_hub() {
    let mut bed = bed_with(|options| options.enforce_rbac = true).await;
    let (client, object) = ("99999999-0000-4000-8000-000000000001", "99999999-0000-4000-8000-000000000002");
    bed.emulator.seed(&format!(
        "clients: [{{ client_id: {client}, object_id: {object}, secret: granter }}]\n\
         role_assignments: [{{ scope: sa1, principal: {object}, role: Role Based Access Control Administrator }}]"
    ));
    bed.core.configure(json!({ "client_id": client, "client_secret": "granter" }));
    let plan = bed.plan(&bed.by_hub(ALICE, "reader")).await;
    let error = plan.error("Cannot read the hub");
    assert_eq!(error.path, "hub_id");
    assert!(error.detail.contains("With storage_account_id instead"), "{}", error.detail);
    let config = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "access": "reader" });
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
    bed.core.destroy(TYPE, "a").await.quiet();
}

#[tokio::test]
async fn a_destroy_that_a_lock_refuses_keeps_the_object_in_the_state() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    bed.emulator.seed("locks: [{ scope: sa1, level: CanNotDelete }]");
    let report = bed.core.destroy(TYPE, "a").await.failed();
    assert!(report.error("A lock prevents the change").detail.contains("still exists"));
    assert_eq!(bed.recorded().len(), 2);
}

#[tokio::test]
async fn a_principal_that_azure_does_not_know_yet_is_retried_for_principal_propagation_timeout() {
    let mut bed = bed_with(|options| options.principals = Principals::Strict).await;
    let mut config = bed.by_account(NEW, "Storage Blob Data Reader");
    config["principal_propagation_timeout"] = json!("0s");
    let report = bed.apply(&config).await.failed();
    assert_eq!(report.error("The principal does not exist").path, "principal_id");
    assert_eq!(bed.writes(), ["PUT blob reader"]);

    config["principal_propagation_timeout"] = json!("2m");
    bed.emulator.add_principal(NEW, "User");
    let once = Rule::on("PUT", "*/roleAssignments/*", Fault::Status(400)).code("PrincipalNotFound").times(1);
    bed.emulator.fault(once.header("retry-after", "0"));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader", "PUT blob reader"]);
}

#[tokio::test]
async fn a_principal_type_that_does_not_match_is_explained() {
    let mut bed = bed().await;
    bed.emulator.add_principal(ALICE, "ServicePrincipal");
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    config["principal_type"] = json!("User");
    let report = bed.apply(&config).await.failed();
    assert!(report.error("The principal is of another type").detail.contains("has type 'ServicePrincipal'"));
    config["principal_type"] = json!("serviceprincipal");
    bed.apply(&config).await.quiet();
    assert_eq!(bed.state()["principal_type"], "serviceprincipal");
    bed.plan(&config).await.ok().assert_empty();
}
