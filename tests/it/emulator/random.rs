//! Whatever is asked, the emulator goes on and never answers 500.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, BLOB_CONTRIBUTOR, BLOB_READER, WORKSPACES, arm_with, read};

/// How many requests are sent, and how many of them at once.
const REQUESTS: usize = 10_000;
const AT_ONCE: usize = 20;

/// A small generator (splitmix64): the same requests in every run, so that a failure can be looked at.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("a small number")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Text without any sense: control characters, quotes, other alphabets, halves of escapes.
    fn noise(&mut self) -> String {
        const SIGNS: &[&str] = &[
            "a",
            "Z",
            "0",
            "-",
            "_",
            ".",
            "..",
            "%",
            "%2F",
            "%00",
            "%zz",
            "%C3",
            "'",
            "''",
            "\"",
            "(",
            ")",
            " ",
            "+",
            "&",
            "=",
            "ß",
            "İ",
            "ǆ",
            "字",
            "🦀",
            "\u{301}",
            "$",
            "~",
            "{",
            "}",
            "[",
            "]",
            "eq",
            "and",
            "atScope()",
            "2025-06-01",
            "null",
        ];
        let length = if self.one_in(50) { 2000 } else { self.below(8) };
        (0..length).map(|_| self.pick(SIGNS)).collect()
    }

    fn segment(&mut self) -> String {
        const KNOWN: &[&str] = &[
            "subscriptions",
            "22222222-2222-2222-2222-222222222222",
            "resourceGroups",
            "resourcegroups",
            "rg1",
            "providers",
            "Microsoft.MachineLearningServices",
            "workspaces",
            "hub1",
            "Microsoft.Storage",
            "storageAccounts",
            "sa1",
            "Microsoft.Authorization",
            "roleAssignments",
            "roleDefinitions",
            "locks",
            "716c4d15-9bc8-476d-a3c1-6ccb70082517",
            "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            "datastores",
            "workspaceblobstore",
            "listKeys",
            "regenerateKey",
            "resyncKeys",
            "locations",
            "eastus",
            "workspaceOperationsStatus",
            "operationresults",
            "register",
            "resources",
            "tenants",
            "storage",
            "metadata",
            "endpoints",
            "oauth2",
            "v2.0",
            "token",
            "11111111-1111-1111-1111-111111111111",
            ".well-known",
            "openid-configuration",
            "Microsoft.Management",
            "managementGroups",
            "blobServices",
            "default",
        ];
        if self.one_in(6) { self.noise() } else { self.pick(KNOWN).to_owned() }
    }

    /// A path that means something as it is, one with more behind it, or one made of anything.
    fn path(&mut self, known: &[String]) -> String {
        let (mut path, more) = match self.below(10) {
            0 => (String::new(), self.below(12)),
            1..=3 => (known[self.below(known.len())].clone(), 1 + self.below(2)),
            _ => (known[self.below(known.len())].clone(), 0),
        };
        for _ in 0..more {
            path.push('/');
            path.push_str(&self.segment());
        }
        if self.one_in(10) { path.to_uppercase() } else { path }
    }

    fn filter(&mut self) -> String {
        const PARTS: &[&str] = &[
            "atScope()",
            "principalId eq 'aaaaaaaa-0000-0000-0000-000000000001'",
            "assignedTo('x')",
            " and ",
            " or ",
            "roleName eq 'Reader'",
            "type eq 'BuiltInRole'",
            "'",
            "(",
            "atScopeAndBelow()",
            "name eq 'sa1'",
            "eq",
            "ß",
        ];
        (0..self.below(5)).map(|_| self.pick(PARTS)).collect()
    }

    /// A JSON value of any shape, with names that mean something now and then.
    fn value(&mut self, depth: usize) -> Value {
        const NAMES: &[&str] = &[
            "properties",
            "systemDatastoresAuthMode",
            "allowSharedKeyAccess",
            "identity",
            "type",
            "userAssignedIdentities",
            "storageAccount",
            "hubResourceId",
            "principalId",
            "roleDefinitionId",
            "principalType",
            "condition",
            "tags",
            "sku",
            "conditionVersion",
            "kind",
            "location",
            "name",
            "level",
            "keyName",
            "permissions",
            "roleName",
            "managedNetwork",
        ];
        const TEXTS: &[&str] = &[
            "identity",
            "accesskey",
            "SystemAssigned",
            "UserAssigned",
            "SystemAssigned,UserAssigned",
            "None",
            "Hub",
            "project",
            "aaaaaaaa-0000-0000-0000-000000000001",
            "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            "User",
            "2.0",
            "ReadOnly",
            "key1",
            "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1",
            "",
            "eastus",
            "true",
        ];
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 => json!(self.next()),
            3 => json!(self.noise()),
            4 => json!(self.pick(TEXTS)),
            5 => (0..self.below(3)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(5)).map(|_| (self.pick(NAMES).to_owned(), self.value(depth - 1))).collect(),
        }
    }

    fn body(&mut self) -> Vec<u8> {
        let sense = [
            json!({ "properties": { "systemDatastoresAuthMode": self.noise() }, "kind": "Hub", "location": "eastus" }),
            json!({ "properties": { "allowSharedKeyAccess": self.one_in(2) } }),
            json!({ "properties": { "level": self.pick(&["ReadOnly", "CanNotDelete"]) } }),
            json!({ "keyName": self.pick(&["key1", "key2", "key3"]), "location": "eastus" }),
            super::client::grant(
                &format!("aaaaaaaa-0000-0000-0000-{:012}", self.below(20)),
                self.pick(&[BLOB_CONTRIBUTOR, BLOB_READER, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"]),
            ),
            json!({ "properties": { "roleName": self.noise(), "permissions": self.value(3) } }),
        ];
        match self.below(10) {
            0 => Vec::new(),
            1 => self.noise().into_bytes(),
            2 => (0..self.below(64)).map(|_| self.next().to_le_bytes()[0]).collect(),
            3 => self.value(4).to_string().into_bytes(),
            4 => {
                format!("grant_type=client_credentials&client_id={}&scope={}", self.noise(), self.noise()).into_bytes()
            }
            5 => json!({ "properties": self.value(4), "identity": self.value(2), "kind": "Hub" })
                .to_string()
                .into_bytes(),
            _ => sense[self.below(sense.len())].to_string().into_bytes(),
        }
    }
}

/// Issue 3: 10,000 random paths, filters, headers and bodies never crash it and never answer 500.
#[tokio::test]
async fn ten_thousand_random_requests_never_crash_it_nor_answer_500() {
    let arm = arm_with(|options| options.enforce_rbac = true).await;
    let mut chance = Chance(20_261_124);
    let assignments = format!("{}/providers/Microsoft.Authorization/roleAssignments", arm.account);
    let definitions = format!("{}/providers/Microsoft.Authorization/roleDefinitions", arm.subscription);
    let known = [
        arm.hub.clone(),
        arm.hub.replace("hub1", "hub2"),
        arm.account.clone(),
        arm.account.replace("sa1", "sa2"),
        arm.group.clone(),
        arm.subscription.clone(),
        assignments.clone(),
        format!("{assignments}/716c4d15-9bc8-476d-a3c1-6ccb70082517"),
        format!("{assignments}/716c4d15-9bc8-476d-a3c1-6ccb70082518"),
        definitions.clone(),
        format!("{definitions}/716c4d15-9bc8-476d-a3c1-6ccb70082517"),
        format!("{}/providers/Microsoft.Authorization/locks/l1", arm.account),
        format!("{}/providers/{WORKSPACES}", arm.group),
        format!("{}/providers/{ACCOUNTS}", arm.subscription),
        format!("{}/providers/Microsoft.Storage", arm.subscription),
        format!("{}/resources", arm.subscription),
        format!("{}/datastores", arm.hub),
        format!("{}/listKeys", arm.account),
        format!("{}/regenerateKey", arm.account),
        "/storage/sa1/c".to_owned(),
    ];
    let mut answers = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..REQUESTS / AT_ONCE {
        // What was deleted comes back, so that there is something to ask for.
        if arm.emulator.resource(&arm.account).is_none() {
            arm.emulator.seed_storage_account(&arm.account, json!({}));
        }
        if arm.emulator.resource(&arm.hub).is_none() {
            arm.emulator.seed_hub(&arm.hub, &arm.account, json!({}));
        }
        let batch: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let methods = [
                    Method::GET,
                    Method::PUT,
                    Method::PATCH,
                    Method::POST,
                    Method::DELETE,
                    Method::HEAD,
                    Method::OPTIONS,
                ];
                let method = methods[chance.below(methods.len())].clone();
                let mut url = url::Url::parse(arm.emulator.url()).expect("a URL");
                url.set_path(&chance.path(&known));
                if !chance.one_in(10) {
                    url.query_pairs_mut()
                        .append_pair("api-version", chance.pick(&["2025-06-01", "2022-04-01", "2023-05-01", "x", ""]));
                }
                if chance.one_in(2) {
                    let name = chance.pick(&[
                        "$filter",
                        "$skip",
                        "$skipToken",
                        "kind",
                        "forceToPurge",
                        "type",
                        "tenantId",
                        "comp",
                        "sig",
                    ]);
                    let value = if chance.one_in(2) { chance.filter() } else { chance.noise() };
                    url.query_pairs_mut().append_pair(name, &value);
                }
                let mut request = arm.http.request(method.clone(), url.clone());
                if !chance.one_in(10) {
                    request = request.bearer_auth(&arm.token);
                } else if chance.one_in(2) {
                    request = request.header(
                        "authorization",
                        chance.pick(&["Bearer x", "Bearer", "SharedKey sa1:x", "SharedKey", "a.b.c"]),
                    );
                }
                for name in
                    ["x-ms-client-request-id", "x-ms-return-client-request-id", "content-type", "metadata", "x-ms-date"]
                {
                    if chance.one_in(4) {
                        let bytes: Vec<u8> = chance.noise().into_bytes();
                        request = match reqwest::header::HeaderValue::from_bytes(&bytes) {
                            Ok(value) => request.header(name, value),
                            Err(_) => request,
                        };
                    }
                }
                let (what, body) = (format!("{method} {url}"), chance.body());
                async move { (what, read(request.body(body)).await.status) }
            })
            .collect();
        for (what, status) in futures_util::future::join_all(batch).await {
            assert!(status < 500, "{status} for {what}");
            *answers.entry(status).or_default() += 1;
        }
        arm.emulator.clear_requests();
    }
    // The requests are not all of one kind: some are answered well, others refused for many reasons.
    for status in [200, 201, 202, 204, 400, 401, 403, 404, 405, 409] {
        assert!(answers.contains_key(&status), "nothing was answered {status}: {answers:?}");
    }
    // It is still there, and still whole.
    assert_eq!(arm.get("/subscriptions?api-version=2022-12-01").await.status, 200);
}
