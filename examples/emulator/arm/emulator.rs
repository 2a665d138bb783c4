//! The handle on a running emulator: how tests and the command line see it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::authorization::{self, Assignment};
use super::errors::ArmError;
use super::faults::{Rule, RuleId};
use super::log::Record;
use super::operations::{self, Operation, Outcome, State};
use super::options::{Options, SignIn};
use super::seed::Seed;
use super::server::{Shared, serve};
use super::workspaces::{self, MODE};
use super::world::World;
use super::{entra, ids, metadata, metrics, storage, tls};

/// A running emulator. It listens until it is dropped, on threads of its own, so that a test may block.
#[derive(Debug)]
pub(crate) struct Emulator {
    shared: Shared,
    url: String,
    ca_file: CaFile,
    runtime: Option<Runtime>,
}

/// Where the CA's certificate is; a temporary file goes with the emulator.
#[derive(Debug)]
enum CaFile {
    Given(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

impl Emulator {
    /// Starts an emulator. Answers when it accepts connections.
    ///
    /// # Errors
    /// When a file of the options cannot be read or written, or the address is taken.
    pub(crate) async fn start(options: Options) -> Result<Self> {
        let (tls, ca_pem) = tls::acceptor(options.host_name.as_deref())?;
        let ca_file = write_ca(&options, &ca_pem)?;
        let seed = match &options.seed {
            None => Seed::default(),
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("reading the seed {}", path.display()))?;
                Seed::parse(&text).with_context(|| format!("the seed {}", path.display()))?
            }
        };
        let restored = options.state.as_ref().is_some_and(|path| path.exists());
        let (listen, host_name) = (options.listen, options.host_name.clone());
        let mut world = World::new(options)?;
        let listener = std::net::TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
        listener.set_nonblocking(true).context("preparing the listener")?;
        let address = listener.local_addr().context("asking for the port")?;
        let url = match host_name {
            Some(name) => format!("https://{name}:{}", address.port()),
            None => format!("https://{address}"),
        };
        // What a restart finds in the state file has its seed already.
        if !restored {
            seed.plant(&mut world)?;
        }
        world.changed = true;
        let shared = Shared::new(world);
        shared.save();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("emulator")
            .enable_all()
            .build()
            .context("starting the emulator's threads")?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).context("preparing the listener")?
        };
        runtime.spawn(serve(listener, tls, shared.clone()));
        Ok(Self { shared, url, ca_file, runtime: Some(runtime) })
    }

    /// `https://127.0.0.1:port`, or with the name that was given, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file with the CA's certificate (PEM).
    pub(crate) fn ca_file(&self) -> &Path {
        match &self.ca_file {
            CaFile::Given(path) => path,
            CaFile::Temporary(file) => file.path(),
        }
    }

    /// The environment that points azapi, azurerm's neighbours and foundryhub here, signed in as the default client in the
    /// way of the switch.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let options = self.shared.world().options.clone();
        let ca = self.ca_file().display().to_string();
        // Managed identities are asked without TLS.
        let (url, plain) = (&self.url, self.url.replacen("https", "http", 1));
        let common = [
            ("ARM_ENVIRONMENT", "custom".to_owned()),
            ("ARM_RESOURCE_MANAGER_ENDPOINT", url.clone()),
            ("ARM_RESOURCE_MANAGER_AUDIENCE", url.clone()),
            ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", url.clone()),
            ("ARM_DISABLE_INSTANCE_DISCOVERY", "true".to_owned()),
            ("ARM_SUBSCRIPTION_ID", options.subscription_id),
            ("ARM_TENANT_ID", options.tenant_id),
            ("ARM_CLIENT_ID", options.client_id),
        ];
        let credential = match options.sign_in {
            SignIn::Secret => vec![("ARM_CLIENT_SECRET", options.client_secret)],
            SignIn::Github => vec![
                ("ARM_USE_OIDC", "true".to_owned()),
                ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}/github/idtoken?api-version=2.0")),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", options.github_request_token),
            ],
            SignIn::AzureDevops => vec![
                ("ARM_USE_OIDC", "true".to_owned()),
                ("SYSTEM_OIDCREQUESTURI", format!("{url}/devops/oidctoken")),
                ("SYSTEM_ACCESSTOKEN", options.devops_access_token),
                ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", options.devops_connection),
            ],
            SignIn::VirtualMachine => vec![
                ("ARM_USE_MSI", "true".to_owned()),
                ("ARM_MSI_ENDPOINT", format!("{plain}/metadata/identity/oauth2/token")),
                ("AZURE_POD_IDENTITY_AUTHORITY_HOST", plain),
            ],
            SignIn::AppService => vec![
                ("ARM_USE_MSI", "true".to_owned()),
                ("IDENTITY_ENDPOINT", format!("{plain}/msi/token")),
                ("IDENTITY_HEADER", options.identity_header),
            ],
        };
        let end = [("ARM_USE_CLI", "false".to_owned()), ("SSL_CERT_FILE", ca)];
        common.into_iter().chain(credential).chain(end).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What Python clients want besides: trust, and where to learn about the cloud.
    pub(crate) fn client_environment(&self) -> Vec<(String, String)> {
        let ca = self.ca_file().display().to_string();
        [
            ("REQUESTS_CA_BUNDLE", ca),
            ("ARM_CLOUD_METADATA_URL", format!("{}/metadata/endpoints?api-version=2019-05-01", self.url)),
            ("AZUREML_CURRENT_CLOUD", metadata::CLOUD.to_owned()),
            ("AZURE_CORE_INSTANCE_DISCOVERY", "false".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Adds what a YAML seed describes; panics when it does not hold together, which is the test's mistake.
    pub(crate) fn seed(&self, yaml: &str) {
        let planted = Seed::parse(yaml).and_then(|seed| seed.plant(&mut self.shared.world()));
        planted.unwrap_or_else(|error| panic!("the seed does not hold together: {error:#}"));
    }

    /// Changes switches while it runs.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.shared.world().options);
    }

    /// The id of something in the default subscription: `rg1`, `Microsoft.Storage/storageAccounts`, `sa1`.
    pub(crate) fn id(&self, group: &str, kind: &str, name: &str) -> String {
        let subscription = self.shared.world().options.subscription_id.clone();
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
    }

    /// A resource as it is, whatever readers see yet; `None` when it is not there.
    pub(crate) fn resource(&self, id: &str) -> Option<Value> {
        let (world, key) = (self.shared.world(), ids::key(id));
        world.store.resource(&key).or_else(|| world.store.documents.get(&key)).cloned()
    }

    /// Puts a storage account in.
    pub(crate) fn seed_storage_account(&self, id: &str, properties: Value) {
        let mut world = self.shared.world();
        Self::seed_group(&mut world, id);
        let body = json!({ "properties": properties });
        expect(storage::seed(&mut world, id, &body));
    }

    /// Puts a hub in that uses a storage account; further properties as a PUT would have them.
    pub(crate) fn seed_hub(&self, id: &str, storage_account: &str, properties: Value) {
        let mut world = self.shared.world();
        Self::seed_group(&mut world, id);
        let mut body = json!({ "kind": "Hub", "properties": properties });
        body["properties"]["storageAccount"] = json!(storage_account);
        expect(workspaces::seed(&mut world, id, &body));
    }

    fn seed_group(world: &mut World, id: &str) {
        if let Some(group) = ids::group(id) {
            super::groups::seed(world, &group, "eastus");
        }
    }

    /// Puts a role assignment in; the role by name or GUID. Its name.
    pub(crate) fn seed_assignment(&self, scope: &str, principal: &str, role: &str) -> String {
        let known = authorization::definitions::find(role).unwrap_or(role);
        authorization::seed(&mut self.shared.world(), scope, principal, known, None, None)
    }

    /// Changes a resource's document behind everybody's back, at once.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let mut world = self.shared.world();
        let (key, at) = (ids::key(id), world.clock.now());
        if let Some(document) = world.store.documents.get_mut(&key) {
            return change(document);
        }
        let mut document =
            world.store.resource(&key).cloned().unwrap_or_else(|| panic!("there is no {id} to be changed"));
        change(&mut document);
        if key.contains("/workspaces/") {
            workspaces::write(&mut world, &key, document, at);
        } else {
            storage::write(&mut world, &key, document, at);
        }
        if let Some(entry) = world.store.resources.get_mut(&key) {
            entry.show();
        }
    }

    /// Lets a hub build its first custom image, for which the service attaches a registry; the registry's id.
    pub(crate) fn attach_registry(&self, hub: &str) -> String {
        let registry = workspaces::attach_registry(&mut self.shared.world(), &ids::key(hub));
        registry.unwrap_or_else(|| panic!("there is no {hub}"))
    }

    /// Sets a hub's mode behind everybody's back.
    pub(crate) fn set_mode(&self, hub: &str, mode: &str) {
        self.change(hub, |document| document["properties"][MODE] = json!(mode));
    }

    /// Sets an account's allowSharedKeyAccess behind everybody's back; `None` as if it had never been set.
    pub(crate) fn set_shared_key_access(&self, account: &str, allowed: Option<bool>) {
        self.change(account, |document| match (allowed, document["properties"].as_object_mut()) {
            (Some(allowed), Some(properties)) => _ = properties.insert("allowSharedKeyAccess".into(), json!(allowed)),
            (None, Some(properties)) => _ = properties.remove("allowSharedKeyAccess"),
            (_, None) => {}
        });
    }

    /// Forgets the transactions of an account, as a move of it does.
    pub(crate) fn forget_transactions(&self, account: &str) {
        metrics::forget(&mut self.shared.world(), &ids::key(account));
    }

    /// Deletes a resource behind everybody's back, for good.
    pub(crate) fn remove(&self, id: &str) {
        let mut world = self.shared.world();
        let (key, at) = (ids::key(id), world.clock.now());
        if world.store.documents.remove(&key) {
            return;
        }
        if key.contains("/workspaces/") {
            workspaces::remove(&mut world, &key, true, at);
        } else {
            storage::remove(&mut world, &key, at);
        }
        operations::abandon(&mut world, &key, at);
    }

    /// All role assignments there are.
    pub(crate) fn assignments(&self) -> Vec<Assignment> {
        self.shared.world().store.assignments.all().cloned().collect()
    }

    /// Removes a role assignment by its name, behind everybody's back; whether it was there.
    pub(crate) fn remove_assignment(&self, name: &str) -> bool {
        let mut world = self.shared.world();
        let at = world.clock.now();
        world.store.assignments.remove(name, at, Duration::ZERO).is_some()
    }

    /// Adds a user, group or service principal to the directory.
    pub(crate) fn add_principal(&self, id: &str, kind: &str) {
        self.shared.world().add_principal(id, kind, Vec::new());
    }

    /// All requests so far, in order of arrival, also those without an answer yet.
    pub(crate) fn requests(&self) -> Vec<Record> {
        self.shared.world().log.records().to_vec()
    }

    /// Those of them that went to Azure Resource Manager.
    pub(crate) fn arm_requests(&self) -> Vec<Record> {
        self.requests().into_iter().filter(Record::is_arm).collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn clear_requests(&self) {
        self.shared.world().log.clear();
    }

    /// Waits until a request has arrived that `wanted` says yes to, and answers its record. It may have no answer yet.
    pub(crate) async fn request_seen(&self, wanted: impl Fn(&Record) -> bool) -> Record {
        self.shared.wait_for(|world| world.log.records().iter().find(|record| wanted(record)).cloned()).await
    }

    /// Waits until so many requests have arrived, since the last look, that `wanted` says yes to.
    pub(crate) async fn requests_seen(&self, count: usize, wanted: impl Fn(&Record) -> bool) {
        let enough = |world: &mut World| world.log.records().iter().filter(|record| wanted(record)).count() >= count;
        self.shared.wait_for(|world| enough(world).then_some(())).await;
    }

    /// How often each fault was drawn at random, as rules write it.
    pub(crate) fn faults_drawn(&self) -> BTreeMap<&'static str, u64> {
        self.shared.world().faults.drawn().clone()
    }

    /// Puts a rule in force that makes requests go wrong.
    pub(crate) fn fault(&self, rule: Rule) -> RuleId {
        self.shared.world().faults.add(rule)
    }

    /// Takes a rule back; requests that it holds go on.
    pub(crate) fn release(&self, rule: RuleId) {
        self.shared.world().faults.remove(rule);
        self.shared.changed();
    }

    /// Takes all rules back.
    pub(crate) fn clear_faults(&self) {
        self.shared.world().faults.clear();
        self.shared.changed();
    }

    /// Operations that are running.
    pub(crate) fn running_operations(&self) -> Vec<Operation> {
        let world = self.shared.world();
        world.store.operations.iter().filter(|operation| operation.state == State::Running).cloned().collect()
    }

    /// Waits until an operation runs on a resource (an id), and answers which.
    pub(crate) async fn operation_started(&self, resource: &str) -> String {
        self.shared
            .wait_for(|world| {
                let running = world.store.operations.iter().filter(|operation| operation.state == State::Running);
                running
                    .map(|running| (&running.resource, &running.id))
                    .find(|(id, _)| ids::same(id, resource))
                    .map(|(_, id)| id.clone())
            })
            .await
    }

    /// Ends an operation in explicit mode; whether it was running.
    pub(crate) fn finish_operation(&self, id: &str, outcome: Outcome) -> bool {
        let mut world = self.shared.world();
        let now = world.clock.now();
        let ended = operations::end(&mut world, id, Some(outcome), now);
        world.settle();
        ended
    }

    /// The emulator's present.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.shared.world().clock.now()
    }

    /// Moves the clock forward; what is due by then happens.
    pub(crate) fn advance(&self, by: Duration) {
        self.shared.world().clock.advance(by);
        self.shared.world().settle();
    }

    /// Sets the clock.
    pub(crate) fn set_time(&self, to: OffsetDateTime) {
        self.shared.world().clock.set(to);
    }

    /// A new assertion of an issuer that clients may trust, as a pipeline or a cluster would have it.
    pub(crate) fn assertion(&self, issuer: &str, subject: &str, audience: &str) -> String {
        entra::new_assertion(&self.shared.world(), issuer, subject, audience)
    }

    /// Makes all tokens issued so far invalid.
    pub(crate) fn revoke_tokens(&self) {
        self.shared.world().signer.generation += 1;
    }

    /// Closes all connections, as a network would.
    pub(crate) fn hang_up(&self) {
        self.shared.hang_up();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // What a test did behind the wire's back, and what time alone did since the last request; not what a test leaves
        // that has failed already.
        if !std::thread::panicking() {
            self.shared.world().changed = true;
            self.shared.save();
        }
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed within another runtime, and nothing is left that would need it.
            runtime.shutdown_background();
        }
    }
}

fn write_ca(options: &Options, pem: &str) -> Result<CaFile> {
    match &options.ca_file {
        Some(path) => {
            std::fs::write(path, pem).with_context(|| format!("writing the CA's certificate to {}", path.display()))?;
            Ok(CaFile::Given(path.clone()))
        }
        None => {
            let mut file = tempfile::Builder::new().prefix("arm-emulator-ca-").suffix(".pem").tempfile()?;
            file.write_all(pem.as_bytes()).context("writing the CA's certificate")?;
            Ok(CaFile::Temporary(file))
        }
    }
}

fn expect(done: Result<(), ArmError>) {
    done.map_err(|error| anyhow!("{}: {}", error.failure.code, error.failure.message))
        .expect("a seed that holds together");
}
