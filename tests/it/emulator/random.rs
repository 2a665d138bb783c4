//! Whatever is asked, the emulator goes on and never answers 500.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, BLOB_CONTRIBUTOR, BLOB_READER, WORKSPACES, arm_with, read};
use crate::azure::{IdCasing, Lro, ModeCasing, Operations, Options, Principals, SchemaView};

/// How many requests are sent under each setting of the switches, and how many of them at once.
const REQUESTS: usize = 2_500;
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
            // Letters that take more or fewer bytes in the other case.
            "\u{212a}",
            "\u{2126}",
            "ſ",
            "ẞ",
            "Ⱥ",
            "%+f",
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
            "\u{212a}",
            "Microsoft.KeyVault",
            "vaults",
            "unregister",
            "identity",
            "msi",
            "_emulator",
            "requests",
            "operations",
            "userdelegationkey",
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
            "principalId eq 'aaaaaaaa-0000-4000-8000-000000000001'",
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
            "aaaaaaaa-0000-4000-8000-000000000001",
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
        let mut typed =
            super::client::grant(&format!("ffffffff-0000-0000-0000-{:012}", self.below(20)), BLOB_CONTRIBUTOR);
        typed["properties"]["principalType"] = json!(self.pick(&["ServicePrincipal", "User", "MSI"]));
        let sense = [
            json!({ "properties": { "systemDatastoresAuthMode": self.noise() }, "kind": "Hub", "location": "eastus" }),
            json!({ "properties": { "allowSharedKeyAccess": self.one_in(2) } }),
            json!({ "properties": { "level": self.pick(&["ReadOnly", "CanNotDelete"]) } }),
            json!({ "keyName": self.pick(&["key1", "key2", "key3"]), "location": "eastus" }),
            super::client::grant(
                &format!("aaaaaaaa-0000-4000-8000-{:012}", self.below(20)),
                self.pick(&[BLOB_CONTRIBUTOR, BLOB_READER, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"]),
            ),
            json!({ "properties": { "roleName": self.noise(), "permissions": self.value(3) } }),
            typed,
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

/// A setting of the switches under which requests are sent; whether the caller is an Owner of everything.
type Setting = (&'static str, bool, fn(&mut Options));

/// Issue 3: 10,000 random paths, filters, headers and bodies never crash it and never answer 500.
#[tokio::test]
async fn ten_thousand_random_requests_never_crash_it_nor_answer_500() {
    let settings: [Setting; 4] = [
        ("roles are enforced on an Owner", true, |options| options.enforce_rbac = true),
        ("roles are enforced on a Contributor", false, |options| {
            options.enforce_rbac = true;
            options.lro = Lro::Updating;
            options.lro_delete = Lro::Bare;
            options.reject_api_version = vec!["x".to_owned()];
            options.unregistered = vec!["Microsoft.KeyVault".to_owned()];
        }),
        ("the strict view, by hand, with delays", true, |options| {
            options.schema = SchemaView::Strict;
            options.operations = Operations::Explicit;
            options.read_delay = Duration::from_secs(1);
            options.assignment_read_delay = Duration::from_secs(1);
            options.id_casing = IdCasing::Request;
            options.mode_casing = ModeCasing::Canonical;
            options.page_size = 1;
        }),
        ("time runs away", true, |options| {
            options.token_lifetime = Duration::from_secs(u64::MAX);
            options.operation_time = Duration::from_secs(u64::MAX);
            options.principals = Principals::Strict;
            options.lro = Lro::Async;
            options.claims_challenge = true;
            options.policy =
                vec![format!("keep {ACCOUNTS} properties.allowSharedKeyAccess").parse().expect("a policy")];
        }),
    ];
    let mut answers = BTreeMap::<u16, usize>::new();
    for (number, setting) in settings.into_iter().enumerate() {
        storm(20_261_124 + number as u64, setting, &mut answers).await;
    }
    // The requests are not all of one kind: some are answered well, others refused for many reasons.
    for status in [200, 201, 202, 204, 400, 401, 403, 404, 405, 409] {
        assert!(answers.contains_key(&status), "nothing was answered {status}: {answers:?}");
    }
}

/// Sends random requests under one setting.
async fn storm(seed: u64, (setting, owner, change): Setting, answers: &mut BTreeMap<u16, usize>) {
    let mut arm = arm_with(change).await;
    if !owner {
        let client = "cccccccc-0000-0000-0000-000000000001";
        arm.emulator.seed(&format!("clients:\n  - {{ client_id: {client}, object_id: {ALICE}, secret: s }}"));
        arm.emulator.seed_assignment(&arm.subscription, ALICE, "Contributor");
        arm.token = arm.sign_in(client, "s").await.at("/access_token").as_str().expect("a token").to_owned();
    }
    let mut chance = Chance(seed);
    let mut known = places(&arm);
    let fixed = known.len();
    for _ in 0..REQUESTS / AT_ONCE {
        // What was deleted comes back, so that there is something to ask for.
        if arm.emulator.resource(&arm.account).is_none() {
            arm.emulator.seed_storage_account(&arm.account, json!({}));
        }
        if arm.emulator.resource(&arm.hub).is_none() {
            arm.emulator.seed_hub(&arm.hub, &arm.account, json!({}));
        }
        known.truncate(fixed);
        known.extend(arm.emulator.running_operations().iter().map(|operation| {
            let kind = if operation.resource.contains("Storage") {
                "Microsoft.Storage/locations/eastus/asyncoperations"
            } else {
                "Microsoft.MachineLearningServices/locations/eastus/workspaceOperationsStatus"
            };
            format!("{}/providers/{kind}/{}", arm.subscription, operation.id)
        }));
        let batch: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (what, request) = chance.request(&arm, &known);
                async move { (what, read(request).await.status) }
            })
            .collect();
        for (what, status) in futures_util::future::join_all(batch).await {
            assert!(status < 500, "{status} for {what}, when {setting}");
            *answers.entry(status).or_default() += 1;
        }
        arm.emulator.clear_requests();
    }
    // It is still there, and still whole.
    assert_eq!(arm.get("/subscriptions?api-version=2022-12-01").await.status, 200, "{setting}");
}

/// Paths that mean something.
fn places(arm: &Arm) -> Vec<String> {
    let assignments = format!("{}/providers/Microsoft.Authorization/roleAssignments", arm.account);
    let definitions = format!("{}/providers/Microsoft.Authorization/roleDefinitions", arm.subscription);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/l1", arm.account);
    vec![
        arm.hub.clone(),
        arm.hub.replace("hub1", "hub2"),
        arm.hub.replace("hub1", "hub\u{212a}"),
        arm.account.clone(),
        arm.account.replace("sa1", "sa2"),
        arm.group.clone(),
        arm.subscription.clone(),
        assignments.clone(),
        format!("{assignments}/716c4d15-9bc8-476d-a3c1-6ccb70082517"),
        format!("{assignments}/716c4d15-9bc8-476d-a3c1-6ccb70082518"),
        definitions.clone(),
        format!("{definitions}/716c4d15-9bc8-476d-a3c1-6ccb70082517"),
        lock.clone(),
        arm.group.replace("rg1", "\u{212a}\u{23a}"),
        arm.hub.replace("rg1", "\u{212a}\u{23a}"),
        format!("{}/providers/Microsoft.Authorization/locks/\u{212a}", arm.group.replace("rg1", "\u{212a}\u{23a}")),
        // Providers within providers.
        format!("{lock}/providers/Microsoft.Authorization/roleAssignments"),
        format!("{}/providers/Microsoft.Authorization/locks/l2", arm.hub),
        format!("{assignments}/716c4d15-9bc8-476d-a3c1-6ccb70082517/providers/{WORKSPACES}/hub1"),
        format!(
            "/providers/Microsoft.Management/managementGroups/\u{212a}/providers/Microsoft.Authorization/roleAssignments"
        ),
        format!("{}/providers/{WORKSPACES}", arm.group),
        format!("{}/providers/{ACCOUNTS}", arm.subscription),
        format!("{}/providers/Microsoft.Storage", arm.subscription),
        format!("{}/resources", arm.subscription),
        format!("{}/datastores", arm.hub),
        format!("{}/providers/Microsoft.Network/privateEndpoints/pe", arm.group),
        format!("{}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", arm.group),
        format!("{}/providers/Microsoft.KeyVault/vaults/kv", arm.group),
        format!("{}/datastores/d", arm.hub),
        format!("{}/datastores/d/listSecrets", arm.hub),
        format!("{}/connections/c", arm.hub),
        format!("{}/computes/c", arm.hub),
        format!("{}/blobServices/default/containers/c", arm.account),
        format!("{}/fileServices/default/shares", arm.account),
        format!("{}/listKeys", arm.account),
        format!("{}/regenerateKey", arm.account),
        format!("{}/operationresults/x", arm.subscription),
        "/storage/sa1/c".to_owned(),
        "/metadata/endpoints".to_owned(),
        "/metadata/identity/oauth2/token".to_owned(),
        "/msi/token".to_owned(),
        "/github/idtoken".to_owned(),
        "/devops/oidctoken".to_owned(),
        "/_emulator/requests".to_owned(),
        "/_emulator/operations/all/finish".to_owned(),
        "/_emulator/clock/advance".to_owned(),
        "/_emulator/options".to_owned(),
        "/_emulator/seed".to_owned(),
        "/_emulator/faults".to_owned(),
    ]
}

impl Chance {
    /// A request, and what it is.
    fn request(&mut self, arm: &Arm, known: &[String]) -> (String, reqwest::RequestBuilder) {
        let methods =
            [Method::GET, Method::PUT, Method::PATCH, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS];
        let method = methods[self.below(methods.len())].clone();
        let mut url = url::Url::parse(arm.emulator.url()).expect("a URL");
        url.set_path(&self.path(known));
        if !self.one_in(10) {
            let version = self.pick(&["2025-06-01", "2022-04-01", "2023-05-01", "2024-04-01", "x", ""]);
            url.query_pairs_mut().append_pair("api-version", version);
        }
        if self.one_in(2) {
            let name = self.pick(&[
                "$filter",
                "$skip",
                "$skipToken",
                "kind",
                "forceToPurge",
                "type",
                "tenantId",
                "comp",
                "sig",
                "se",
                "skoid",
                "resource",
                "msi_res_id",
            ]);
            let value = if self.one_in(2) { self.filter() } else { self.noise() };
            url.query_pairs_mut().append_pair(name, &value);
        }
        if self.one_in(20) {
            let by = self.pick(&["1s", "9999999999h", "18446744073709551615ms", "ßs", ""]);
            url.query_pairs_mut().append_pair("by", by);
        }
        let mut request = arm.http.request(method.clone(), url.clone());
        if !self.one_in(10) {
            request = request.bearer_auth(&arm.token);
        } else if self.one_in(2) {
            let value = self.pick(&["Bearer x", "Bearer", "SharedKey sa1:x", "SharedKey", "a.b.c"]);
            request = request.header("authorization", value);
        }
        for name in ["x-ms-client-request-id", "x-ms-return-client-request-id", "content-type", "metadata", "x-ms-date"]
        {
            if self.one_in(4)
                && let Ok(value) = reqwest::header::HeaderValue::from_bytes(self.noise().as_bytes())
            {
                request = request.header(name, value);
            }
        }
        (format!("{method} {url}"), request.body(self.body()))
    }
}
