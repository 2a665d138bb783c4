//! Where pipelines get their assertions (azure.md §6.5).

use super::super::client::{Arm, Reply, read, variable};
use super::keys::part;
use super::{arm_for, check_refusal, claims};
use crate::azure::SignIn;

const EXCHANGE: &str = "api://AzureADTokenExchange";

async fn github(arm: &Arm, query: &str, bearer: &str) -> Reply {
    let url = format!("{}{query}", variable(&arm.emulator, "ACTIONS_ID_TOKEN_REQUEST_URL"));
    read(arm.http.get(url).bearer_auth(bearer)).await
}

/// azure.md §6.5: a GitHub job gets a fresh assertion each time, which buys the default application's token.
#[tokio::test]
async fn a_github_job_gets_an_assertion_for_its_request_token() {
    let arm = arm_for(SignIn::Github).await;
    let request_token = variable(&arm.emulator, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let audience = format!("&audience={EXCHANGE}");
    let reply = github(&arm, &audience, &request_token).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let assertion = reply.at("/value").as_str().expect("an assertion").to_owned();
    assert_eq!(reply.at("/count"), assertion.len());
    let said = part(&assertion, 1);
    assert_eq!((&said["iss"], &said["aud"]), (&"https://token.actions.githubusercontent.com".into(), &EXCHANGE.into()));
    assert_eq!(said["sub"], "repo:octo-org/octo-repo:environment:prod");
    assert_eq!(said["exp"].as_i64().expect("an end") - said["iat"].as_i64().expect("a beginning"), 300);
    assert_ne!(github(&arm, &audience, &request_token).await.at("/value"), assertion);
    let client = variable(&arm.emulator, "ARM_CLIENT_ID");
    assert_eq!(claims(&arm.assert(&client, &assertion).await)["appid"], client);

    // Another job of the repository is not trusted, nor an assertion that was not asked for on behalf of Entra.
    let own = github(&arm, "", &request_token).await.at("/value");
    assert_eq!(part(own.as_str().expect("an assertion"), 1)["aud"], "https://github.com/octo-org");
    check_refusal(&arm.assert(&client, own.as_str().expect("text")).await, 401, "invalid_client", 700_212);
    arm.emulator.configure(|options| options.github_subject = "repo:octo-org/octo-repo:pull_request".to_owned());
    let other = github(&arm, &audience, &request_token).await.at("/value");
    check_refusal(&arm.assert(&client, other.as_str().expect("text")).await, 401, "invalid_client", 700_213);
}

/// azure.md §6.5: without its request token, or with another method, there is none.
#[tokio::test]
async fn github_refuses_who_is_no_job() {
    let arm = arm_for(SignIn::Github).await;
    let refused = github(&arm, &format!("&audience={EXCHANGE}"), "expired").await;
    assert_eq!((refused.status, refused.at("/typeKey")), (401, "UnauthorizedRequestException".into()));
    let url = variable(&arm.emulator, "ACTIONS_ID_TOKEN_REQUEST_URL");
    let token = variable(&arm.emulator, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    assert_eq!(read(arm.http.post(&url).bearer_auth(&token)).await.status, 405);
    let log = format!("{:?}", arm.emulator.requests());
    assert!(!log.contains(&token), "the log has no secret");
}

/// azure.md §6.5: an Azure DevOps job posts the id of a service connection.
#[tokio::test]
async fn an_azure_devops_job_gets_an_assertion_for_its_service_connection() {
    let arm = arm_for(SignIn::AzureDevops).await;
    let connection = variable(&arm.emulator, "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID");
    let token = variable(&arm.emulator, "SYSTEM_ACCESSTOKEN");
    let reply = devops(&arm, &format!("?api-version=7.1&serviceConnectionId={connection}"), &token, true).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let assertion = reply.at("/oidcToken").as_str().expect("an assertion").to_owned();
    assert_eq!(
        (&part(&assertion, 1)["sub"], &part(&assertion, 1)["aud"]),
        (&"sc://emulator/project/connection".into(), &EXCHANGE.into())
    );
    let client = variable(&arm.emulator, "ARM_CLIENT_ID");
    assert_eq!(claims(&arm.assert(&client, &assertion).await)["appid"], client);
    // Without a connection it is the pipeline's own, which nobody trusts.
    let reply = devops(&arm, "?api-version=7.1", &token, true).await.at("/oidcToken");
    check_refusal(&arm.assert(&client, reply.as_str().expect("text")).await, 401, "invalid_client", 700_213);
}

/// azure.md §6.5: what Azure DevOps refuses, and how.
#[tokio::test]
async fn azure_devops_refuses_in_its_own_way() {
    let arm = arm_for(SignIn::AzureDevops).await;
    let connection = variable(&arm.emulator, "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID");
    let token = variable(&arm.emulator, "SYSTEM_ACCESSTOKEN");
    let query = format!("?api-version=7.1&serviceConnectionId={connection}");
    for (row, query, token, suppressed, status) in [
        ("another token", query.as_str(), "other", true, 401),
        ("another token, as a browser would", &query, "other", false, 302),
        (
            "another connection",
            "?api-version=7.1&serviceConnectionId=77777777-0000-0000-0000-000000000000",
            &token,
            true,
            404,
        ),
        ("no api-version", &format!("?serviceConnectionId={connection}"), &token, true, 400),
    ] {
        devops(&arm, query, token, suppressed).await;
        // The HTTP client goes where it is sent to, so that the answer is the log's to tell.
        let seen = arm.emulator.requests();
        let seen = seen.iter().rfind(|record| record.path == "/devops/oidctoken").expect("the request");
        assert_eq!(seen.status, Some(status), "{row}");
    }
    let url = variable(&arm.emulator, "SYSTEM_OIDCREQUESTURI");
    assert_eq!(read(arm.http.get(format!("{url}{query}")).bearer_auth(&token)).await.status, 405, "GitHub's method");
}

async fn devops(arm: &Arm, query: &str, bearer: &str, suppressed: bool) -> Reply {
    let url = format!("{}{query}", variable(&arm.emulator, "SYSTEM_OIDCREQUESTURI"));
    let request = arm.http.post(url).bearer_auth(bearer);
    read(if suppressed { request.header("X-TFS-FedAuthRedirect", "Suppress") } else { request }).await
}
