//! A client that knows nothing of the emulator but its address, its CA and a secret.

use std::time::Duration;

use foundryhub::arm::WorkspaceId;
use reqwest::{Certificate, Method};
use serde_json::{Value, json};

use crate::azure::{Emulator, Options};
pub(crate) use crate::support::ids::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB};

pub(crate) const WORKSPACES: &str = "Microsoft.MachineLearningServices/workspaces";
pub(crate) const ACCOUNTS: &str = "Microsoft.Storage/storageAccounts";

/// One answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    /// The body as JSON; null if it is empty.
    pub(crate) fn body(&self) -> Value {
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).expect("a JSON body") }
    }

    /// A value in the body; null if it is not there.
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.body().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// A header's text, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text header"))
    }

    /// Status and error code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.at("/error/code").as_str().unwrap_or_default().to_owned())
    }

    /// The error's text.
    pub(crate) fn message(&self) -> String {
        self.at("/error/message").as_str().unwrap_or_default().to_owned()
    }
}

/// An emulator with a hub in access-key mode on an account, two users in the directory, and a client signed in to it.
pub(crate) struct Arm {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
    pub(crate) hub: String,
    pub(crate) account: String,
    pub(crate) group: String,
    pub(crate) subscription: String,
}

/// Starts an emulator with the defaults for tests.
pub(crate) async fn arm() -> Arm {
    arm_with(|_| {}).await
}

/// Starts an emulator with some switches set.
pub(crate) async fn arm_with(change: impl FnOnce(&mut Options)) -> Arm {
    let mut options = Options { retry_after: 0, ..Options::default() };
    change(&mut options);
    let emulator = Emulator::start(options).await.expect("the emulator starts");
    let (hub, account) = (emulator.id("rg1", WORKSPACES, "hub1"), emulator.id("rg1", ACCOUNTS, "sa1"));
    if emulator.resource(&account).is_none() {
        emulator.seed_storage_account(&account, json!({}));
        emulator.seed_hub(&hub, &account, json!({ "friendlyName": "My hub" }));
    }
    for user in [ALICE, BOB] {
        emulator.add_principal(user, "User");
    }
    let http = client(&emulator);
    let subscription = format!("/subscriptions/{}", variable(&emulator, "ARM_SUBSCRIPTION_ID"));
    let group = format!("{subscription}/resourceGroups/rg1");
    let mut arm = Arm { emulator, http, token: String::new(), hub, account, group, subscription };
    let secret = variable(&arm.emulator, "ARM_CLIENT_SECRET");
    let signed_in = arm.sign_in(&variable(&arm.emulator, "ARM_CLIENT_ID"), &secret).await;
    arm.token = signed_in.at("/access_token").as_str().expect("a token").to_owned();
    arm
}

/// An HTTP client that trusts the emulator's CA and nothing else.
pub(crate) fn client(emulator: &Emulator) -> reqwest::Client {
    let pem = std::fs::read(emulator.ca_file()).expect("the CA's certificate");
    reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).expect("a certificate")])
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client")
}

/// A variable of the environment that the emulator prints.
pub(crate) fn variable(emulator: &Emulator, name: &str) -> String {
    let found = emulator.environment().into_iter().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name} in the environment")).1
}

/// Asks the token endpoint of the emulator's tenant.
pub(crate) async fn sign_in(emulator: &Emulator, http: &reqwest::Client, client_id: &str, secret: &str) -> Reply {
    let path = format!("/{}/oauth2/v2.0/token", variable(emulator, "ARM_TENANT_ID"));
    let scope = format!("{}/.default", emulator.url());
    let form =
        [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret), ("scope", &scope)];
    post_form(emulator, http, &path, &form).await
}

async fn post_form(emulator: &Emulator, http: &reqwest::Client, path: &str, form: &[(&str, &str)]) -> Reply {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let request = http
        .post(format!("{}{path}", emulator.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.finish());
    read(request).await
}

impl Arm {
    /// Asks the token endpoint of the emulator's tenant.
    pub(crate) async fn sign_in(&self, client_id: &str, secret: &str) -> Reply {
        sign_in(&self.emulator, &self.http, client_id, secret).await
    }

    /// Posts a form to the token endpoint.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Reply {
        let tenant = variable(&self.emulator, "ARM_TENANT_ID");
        self.post_form(&format!("/{tenant}/oauth2/v2.0/token"), form).await
    }

    /// Posts a form anywhere.
    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        post_form(&self.emulator, &self.http, path, form).await
    }

    /// Another hub of this name on the account, in key mode.
    pub(crate) fn another_hub(&self, name: &str) -> String {
        let hub = self.emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, name);
        self.emulator.seed_hub(&hub, &self.account, json!({}));
        hub
    }

    /// Sends a request with the client's token; the path may be a whole URL. A query is up to the caller.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Reply {
        read(self.request(method, path, body)).await
    }

    /// The request that [`Arm::send`] sends, to be changed first.
    pub(crate) fn request(&self, method: Method, path: &str, body: Value) -> reqwest::RequestBuilder {
        let url = if path.starts_with("https://") { path.to_owned() } else { format!("{}{path}", self.emulator.url()) };
        let request = self.http.request(method, url).bearer_auth(&self.token);
        if body.is_null() { request } else { request.header("content-type", "application/json").body(body.to_string()) }
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Value::Null).await
    }

    /// PUT.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, body).await
    }

    /// PATCH.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, body).await
    }

    /// POST.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, body).await
    }

    /// DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, Value::Null).await
    }

    /// The hub's URL path at the version the provider uses.
    pub(crate) fn hub_path(&self) -> String {
        format!("{}?api-version=2025-06-01", self.hub)
    }

    /// The body of a PUT of a hub on the account.
    pub(crate) fn hub_body(&self) -> Value {
        json!({ "location": "eastus", "kind": "Hub", "properties": { "storageAccount": self.account } })
    }

    /// The account's.
    pub(crate) fn account_path(&self) -> String {
        format!("{}?api-version=2023-05-01", self.account)
    }

    /// A role assignment's, at the account.
    pub(crate) fn assignment_path(&self, name: &str) -> String {
        assignment_at(&self.account, name)
    }

    /// The list of role assignments at a scope, with a filter in plain text.
    pub(crate) async fn assignments(&self, scope: &str, filter: &str) -> Reply {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let filter = if filter.is_empty() { filter } else { format!("&$filter={filter}") };
        self.get(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01{filter}"))
            .await
    }
}

/// A role assignment's path at any scope.
pub(crate) fn assignment_at(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01")
}

/// The body of a role assignment PUT.
pub(crate) fn grant(principal: &str, role: &str) -> Value {
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    json!({ "properties": { "roleDefinitionId": role, "principalId": principal } })
}

/// Names in a list's `value`.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let items = list["value"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

/// Sends a request; an answer may fail to come.
#[expect(clippy::disallowed_methods, reason = "this client must not share anything with the provider's own")]
pub(crate) async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    request.send().await
}

/// Sends a request and reads the answer.
pub(crate) async fn read(request: reqwest::RequestBuilder) -> Reply {
    let response = send(request).await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Reply { status, headers, text: response.text().await.expect("a whole body") }
}
