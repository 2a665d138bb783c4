//! What goes wrong when signing in, and what is said of it.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use super::{
    azure_cli::AzureCli,
    bed::{Given, IDENTITY, SignInBed, certificate},
};
use crate::{
    azure::Record,
    emulator::client::variable,
    support::{
        core::{Plan, resource},
        ids::ALICE,
        scripted::{Scripted, on},
    },
};

const SUMMARY: &str = "The provider could not sign in to Azure";

/// Plans, and checks that the sign-in fails with these words, whoever is asked, and shows none of the secrets.
async fn fails(bed: &SignInBed, given: &Given, says: &[&str]) -> Plan {
    let plan = bed.plan(given, true).await;
    let error = plan.error(SUMMARY);
    assert_eq!(error.path, "", "no attribute of the resource is at fault");
    for says in says {
        assert!(error.detail.contains(says), "{says}: {error}");
    }
    for secret in &given.secrets {
        assert!(!format!("{}", plan.diagnostics).contains(secret), "{error}");
    }
    assert!(!bed.emulator.requests().iter().any(Record::is_arm), "nothing is asked without a token");
    plan
}

#[tokio::test]
async fn a_refusal_of_microsoft_entra_says_what_to_do() {
    let bed = SignInBed::new().await;
    let id = "88888888-0000-0000-0000-000000000000";
    let secrets = json!([{ "value": "planted-old", "expires": "2020-01-01T00:00:00Z" }]);
    bed.emulator.seed(&json!({ "clients": [{ "client_id": id, "object_id": id, "secrets": secrets }] }).to_string());
    let secret = bed.given("client secret");
    let certificate_of_another = bed.given("client certificate").setting("client_id", json!(id));
    let untrusted = bed.emulator.assertion("https://issuer.test", "somebody", "api://AzureADTokenExchange");
    let ids = ["trace id: ", "correlation id: "];
    for (given, code, says) in [
        (secret.clone().setting("client_secret", json!("planted-wrong")), 7_000_215, "secret's value"),
        (
            secret.clone().setting("client_id", json!(id)).setting("client_secret", json!("planted-old")),
            7_000_222,
            "az ad app credential reset",
        ),
        (secret.clone().setting("client_id", json!(ALICE)), 700_016, "Check client_id and tenant_id"),
        (secret.clone().setting("tenant_id", json!(ALICE)), 90_002, "Check tenant_id"),
        (certificate_of_another, 700_027, "Upload it to the application"),
        (bed.given("OIDC token").setting("oidc_token", json!(untrusted)), 700_211, "federated credential"),
        (bed.given("OIDC token").setting("oidc_token", json!("planted")), 50_027, "no JSON Web Token"),
    ] {
        let plan = fails(&bed, &given, &[&format!("AADSTS{code}: "), says, ids[0], ids[1]]).await;
        assert!(!plan.diagnostics.to_string().contains("planted"), "{}", plan.diagnostics);
    }
}

/// What the provider sends leaves no reason for these, so the emulator is told to give them.
#[tokio::test]
async fn a_refusal_of_what_was_asked_says_what_to_check() {
    let bed = SignInBed::new().await;
    for (code, says) in [(70_011, "resource manager audience"), (900_144, "are not empty")] {
        bed.emulator.clear_faults();
        let rule = format!("POST */oauth2/v2.0/token -> 400 AADSTS{code} message=\"It is refused.\"");
        bed.emulator.fault(rule.parse().expect("a rule"));
        let said = format!("AADSTS{code}: It is refused.");
        fails(&bed, &bed.given("client secret"), &[&said, says, "trace id: ", "correlation id: "]).await;
        assert_eq!(bed.token_requests().len(), 1, "it is not asked again");
    }
}

#[tokio::test]
async fn an_assertion_that_has_run_out_is_said_with_the_way_to_fresh_ones() {
    let bed = SignInBed::new().await;
    for kind in ["OIDC token", "OIDC token in a file", "AKS workload identity"] {
        let given = bed.given(kind);
        bed.emulator.advance(Duration::from_secs(1000));
        fails(&bed, &given, &["AADSTS700024: ", "oidc_request_url", "oidc_token_file_path"]).await;
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_nothing_hangs() {
    let bed = SignInBed::new().await;
    let pipe = bed.folder.path().join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let (folder, large) = (bed.folder.path().display().to_string(), bed.file("large", &"x".repeat(2 << 20)));
    for (kind, attribute) in [
        ("client secret in a file", "client_secret_file_path"),
        ("client secret in a file", "client_id_file_path"),
        ("client certificate in a file", "client_certificate_path"),
        ("OIDC token in a file", "oidc_token_file_path"),
    ] {
        for (path, problem) in [
            ("/missing", "No such file"),
            (&folder, "it is a directory, not a regular file"),
            (&pipe, "it is a named pipe, not a regular file"),
            (&large, "larger than 1024 KiB"),
            (&bed.file("empty", ""), "is empty"),
        ] {
            fails(&bed, &bed.given(kind).setting(attribute, json!(path)), &[path, problem]).await;
            assert_eq!(bed.emulator.requests(), [], "{kind} {path}");
        }
    }
    let mut pod = bed.given("AKS workload identity");
    pod.around[0].1 = "/missing".to_owned();
    fails(&bed, &pod, &["AZURE_FEDERATED_TOKEN_FILE", "/missing"]).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_said() {
    let bed = SignInBed::new().await;
    let with = |name: &str| {
        let path = certificate(name).display().to_string();
        bed.given("client certificate in a file").setting("client_certificate_path", json!(path))
    };
    let wrong = json!("planted-wrong");
    for (given, says) in [
        (with("modern.p12").setting("client_certificate_password", wrong.clone()), "client_certificate_password"),
        (with("legacy.p12").setting("client_certificate_password", wrong), "client_certificate_password"),
        (with("modern.p12").without("client_certificate_password"), "client_certificate_password"),
        (with("leaf.pem"), "no private key"),
        (with("encrypted.pem"), "is encrypted"),
        (with("ec.pem"), "not an RSA key"),
        (with("README.md"), "neither PKCS#12 nor PEM"),
    ] {
        let plan = fails(&bed, &given, &[says]).await;
        assert!(!plan.diagnostics.to_string().contains("planted"), "{}", plan.diagnostics);
    }
}

#[tokio::test]
async fn a_machine_without_the_identity_says_so() {
    let bed = SignInBed::new().await;
    let unknown = bed.given("managed identity assigned by a user").setting("client_id", json!(ALICE));
    fails(&bed, &unknown, &["answered with 400", "Identity not found", "client_id"]).await;
    let app = unknown.without("msi_endpoint").around(bed.given("managed identity of an app").around);
    fails(&bed, &app, &["answered with 400", "No User Assigned", "client_id"]).await;
    // The one identity that there is would be taken if none is named.
    bed.emulator.configure(|options| options.system_identity = crate::azure::OnOff::Off);
    bed.plan(&bed.given("managed identity of a machine"), true).await.ok();
    let arm: Vec<_> = bed.emulator.arm_requests().iter().filter_map(|request| request.principal.clone()).collect();
    assert!(!arm.is_empty() && arm.iter().all(|principal| principal == IDENTITY), "{arm:?}");
    // An application that is assigned to no machine leaves none.
    bed.emulator.seed(&json!({ "clients": [{ "client_id": IDENTITY, "object_id": IDENTITY }] }).to_string());
    for (kind, says) in
        [("managed identity of a machine", "Identity not found"), ("managed identity of an app", "No User Assigned")]
    {
        fails(&bed, &bed.given(kind), &["answered with 400", says, "has a managed identity"]).await;
    }
}

#[tokio::test]
async fn an_azure_cli_that_is_missing_or_signed_out_says_so() {
    let bed = SignInBed::new().await;
    let signed_out = AzureCli::running("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1\n");
    let silent = AzureCli::running("echo '{\"accessToken\": 1}'\n");
    let empty = AzureCli::running("echo '{\"accessToken\": \"\", \"expires_on\": 4102444800}'\n");
    for (path, says) in [
        ("/usr/bin:/bin".to_owned(), "az not found on PATH"),
        (signed_out.path(), "Please run 'az login'"),
        (silent.path(), "no token in it that can be read"),
        (empty.path(), "no token in it that can be read"),
    ] {
        let given = bed.given("Azure CLI").around([("PATH", path)]);
        fails(&bed, &given, &[says, "Sign in with `az login`"]).await;
    }
}

#[tokio::test]
async fn a_pipeline_that_gets_no_oidc_token_says_who_gave_none() {
    let bed = SignInBed::new().await;
    let (github, devops) = (bed.given("GitHub OIDC"), bed.given("Azure DevOps OIDC"));
    let wrong = json!("planted-wrong");
    for (given, says) in [
        (github.clone().setting("oidc_request_token", wrong.clone()), ["GitHub", "401", "id-token: write"]),
        (devops.clone().setting("oidc_request_token", wrong), ["Azure DevOps", "401", "SYSTEM_ACCESSTOKEN"]),
        (
            devops.setting("ado_pipeline_service_connection_id", json!(ALICE)),
            ["Azure DevOps", "404", "service connection"],
        ),
    ] {
        let plan = fails(&bed, &given, &says).await;
        assert!(!plan.diagnostics.to_string().contains("planted"), "{}", plan.diagnostics);
    }
    bed.emulator.configure(|options| options.github_subject = "repo:octo-org/octo-repo:pull_request".to_owned());
    fails(&bed, &github, &["AADSTS700213", "federated credential"]).await;
}

/// Services may echo what they were sent, at the place where their answer is cut too.
#[tokio::test]
async fn an_answer_that_echoes_what_was_sent_is_shown_without_it() {
    let bed = SignInBed::new().await;
    let header = "planted-header/1";
    let echo = |secret: &str| format!(r#"{{"message":"{}{secret}"}}"#, "x".repeat(280));
    for echoed in [header, "planted-header%2F1", r"planted-header\/1", r"planted-header\u002f1"] {
        let app = Scripted::start_plain(vec![on("GET", "/msi/token").answer(400, echo(echoed))]).await;
        let mut given = bed.given("managed identity of an app");
        let around = [("IDENTITY_ENDPOINT", format!("{}/msi/token", app.url)), ("IDENTITY_HEADER", header.to_owned())];
        given = given.around(around);
        let plan = fails(&bed, &given, &["answered with 400"]).await;
        assert!(!plan.diagnostics.to_string().contains("planted"), "{}", plan.diagnostics);
        app.finish();
    }
}

#[tokio::test]
async fn advice_fits_the_place_that_gives_no_token() {
    let bed = SignInBed::new().await;
    let closed = bed.given("managed identity of a machine").setting("msi_endpoint", json!("http://127.0.0.1:1/token"));
    let plan = fails(&bed, &closed, &["could not be reached", "unset use_msi"]).await;
    assert!(!plan.diagnostics.to_string().contains("proxy"), "{}", plan.diagnostics);
}

/// A place has variables of its own, which an endpoint that is set goes before.
#[tokio::test]
async fn an_identity_endpoint_that_is_set_is_asked_in_every_place() {
    let bed = SignInBed::new().await;
    for around in [
        vec![("IDENTITY_ENDPOINT", "http://127.0.0.1:1"), ("IDENTITY_HEADER", "h")],
        vec![("IDENTITY_ENDPOINT", "http://127.0.0.1:1"), ("IMDS_ENDPOINT", "http://127.0.0.1:1")],
        vec![("MSI_ENDPOINT", "http://127.0.0.1:1"), ("MSI_SECRET", "s")],
        vec![("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", ""), ("IDENTITY_SERVER_THUMBPRINT", "")],
    ] {
        let around = around.into_iter().map(|(name, value)| (name, value.to_owned()));
        let plan = bed.plan(&bed.given("managed identity of a machine").around(around), true).await;
        plan.ok();
    }
}

/// Every resource of a run needs the sign-in; it is tried once, and its failure explained once.
#[tokio::test]
async fn a_run_tries_a_wrong_secret_once_and_explains_it_once() {
    let bed = SignInBed::new().await;
    let given = bed.given("client secret").setting("client_secret", json!("planted-wrong"));
    let (block, variables) = bed.as_written(&given, true);
    let mut core = bed.core(block, &variables);
    let account = bed.emulator.id("rg1", "Microsoft.Storage/storageAccounts", "sa1");
    let grant = |name: &str| {
        let config = json!({ "storage_account_id": account, "principal_id": ALICE, "role_definition_name": name });
        resource("foundryhub_role_assignment", &name.replace(' ', "_"), config)
    };
    let hub = resource("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() }));
    let plan = core.plan_all(vec![hub, grant("Own role"), grant("Other role")]).await;
    let errors = plan.diagnostics.to_string();
    assert_eq!(errors.matches("AADSTS7000215").count(), 1, "{errors}");
    assert!(plan.diagnostics.0.iter().all(|error| error.path.is_empty()), "{errors}");
    assert_eq!(errors.matches("Another error of this run says why").count(), 2, "{errors}");
    assert_eq!(bed.token_requests().len(), 1, "{:#?}", bed.emulator.requests());
}

/// Another method could be had each time, and would be somebody else.
#[tokio::test]
async fn a_method_that_fails_is_not_followed_by_another() {
    let bed = SignInBed::new().await;
    let (block, mut variables) = bed.as_written(&bed.given("Azure CLI"), true);
    let secret = bed.given("client secret").setting("client_secret", json!("planted-wrong"));
    variables.extend(secret.variables());
    let mut core = bed.core(block, &variables);
    core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.error(SUMMARY);
    assert_eq!(bed.cli.log(), [""; 0]);
    assert_eq!(bed.token_requests()[0].body["client_id"], Value::from(variable(&bed.emulator, "ARM_CLIENT_ID")));
}
