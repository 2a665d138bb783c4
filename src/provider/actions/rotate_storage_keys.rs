//! `foundryhub_rotate_storage_keys`: regenerates the keys of a storage account, and makes the hubs that use them fetch them.

use std::{collections::BTreeSet, future::ready, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;

use super::resync_keys::{not_resynced, resync};
use crate::{
    arm::{
        self, Call, Item, List, Read, StorageAccountId, WorkspaceId,
        storage_accounts::StorageAccount,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Summary, Type,
        action::{Action, Progress},
        context::Context,
        one_of,
        schema::{Attribute, Block},
        timeouts::{self, InvokeTimeout},
    },
    provider::{
        Session, hub, report,
        write_error::{self, Write},
    },
};

pub(crate) struct RotateStorageKeys;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    hub_id: Attr<WorkspaceId>,
    storage_account_id: Attr<StorageAccountId>,
    keys: Attr<Vec<Attr<KeyName>>>,
    on_keys_enabled: Attr<OnKeysEnabled>,
    timeouts: Attr<InvokeTimeout>,
}

one_of! {
    /// A key of a storage account.
    pub(crate) enum KeyName {
        Key1 = "key1",
        Key2 = "key2",
    }
}

one_of! {
    /// What to do while the account accepts shared keys.
    pub(crate) enum OnKeysEnabled {
        Fail = "fail",
        Skip = "skip",
        Rotate = "rotate",
    }
}

/// The order in which keys are regenerated. Which of them hubs use is not documented, so that they fetch keys after both.
const ORDER: [KeyName; 2] = [KeyName::Key2, KeyName::Key1];

/// How long the action may take where the configuration does not say.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long reading for a plan may take.
const READING: Duration = Duration::from_secs(5 * 60);

/// How long hubs may take to fetch regenerated keys. It may exceed the action's timeout, since they would otherwise be left
/// without access.
const RESYNC_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// How many hubs fetch keys at the same time.
const RESYNCS_AT_ONCE: usize = 8;

const KEYS_ENABLED: &str = "on_keys_enabled";

const DESCRIPTION: &str = "Regenerates the keys of the storage account of an Azure AI Foundry hub, so that copies of the old ones are worthless.

The action is for an account that refuses shared keys: Azure still hands keys out then, and a copy that somebody has kept \
works again as soon as shared keys are enabled. While the account accepts shared keys, regenerating a key locks out whoever \
uses it, and every SAS made with it, so the action refuses to do so unless `on_keys_enabled` says otherwise.

Hubs in `accesskey` mode keep a copy of a key. All of them on this account, as far as they are in its subscription, fetch the \
new keys afterwards, so that they keep their storage, or have it as soon as the account accepts shared keys. Datastores and \
connections that somebody has registered with a key of their own keep that key, and so do clients outside Azure AI Foundry.

A trigger cannot tell why an object is updated: `after_update` would rotate keys whenever any argument changes, so the example \
lets a `terraform_data` resource follow the one argument that matters. Since Terraform 1.16 `before_destroy` of a \
`foundryhub_storage_auth` rotates the keys before it lets the account accept them again; `caller.storage_account_id` is the \
account then.

No key is ever shown. If the action stops half-way, its error says which keys were regenerated and which hubs have not fetched \
them; `foundryhub_resync_keys` makes one hub fetch them.";

impl Action for RotateStorageKeys {
    type Client = Session;
    type Config = Config;

    fn name(&self) -> &'static str {
        "foundryhub_rotate_storage_keys"
    }

    fn schema(&self) -> Block {
        let text = |name, description| Attribute::optional(name, Type::String, description);
        let attributes = vec![
            text("hub_id", "ARM id of a hub, whose default storage account is meant. Either `hub_id` or `storage_account_id` is needed.")
                .parsed::<WorkspaceId>(),
            text("storage_account_id", "ARM id of the storage account.").parsed::<StorageAccountId>(),
            Attribute::optional("keys", Type::set(Type::String), "Which keys to regenerate: `key1`, `key2`, or both if not set.")
                .parsed::<KeyName>(),
            text(KEYS_ENABLED, "What to do while the account accepts shared keys: `fail` (if not set), `skip` (regenerate nothing), or `rotate` (regenerate all the same; whoever uses the old key loses access).")
                .parsed::<OnKeysEnabled>(),
        ];
        let blocks = vec![timeouts::block_of(&[("invoke", "For the whole action; 30 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        match (config.hub_id.presence(), config.storage_account_id.presence()) {
            (Attr::Null, Attr::Null) => {
                let detail = "Set hub_id or storage_account_id, the account whose keys are to be regenerated.";
                diagnostics
                    .push(Diagnostic::error("The storage account is not named", detail).at(Path::root("hub_id")));
            }
            (Attr::Known(()), Attr::Known(())) => {
                let detail = "hub_id means the hub's storage account. Remove it or storage_account_id.";
                diagnostics.push(
                    Diagnostic::error("The storage account is named twice", detail)
                        .at(Path::root("storage_account_id")),
                );
            }
            _ => {}
        }
        if config.keys.known().is_some_and(Vec::is_empty) {
            let detail = "Name key1, key2 or both. Without the attribute both are regenerated.";
            diagnostics.push(Diagnostic::error("No key to regenerate", detail).at(Path::root("keys")));
        }
        diagnostics
    }

    /// Whether the account accepts keys is not judged: this very run may be about to disable them.
    async fn plan(&self, context: Context<Session>, config: Config) -> Diagnostics {
        let Some(session) = context.client.as_deref() else { return Diagnostics::default() };
        let call = Call::new(context.cancel, READING);
        let account = match (config.hub_id.known(), config.storage_account_id.known()) {
            (Some(id), _) => match hub::read(session, id, Read::Remembered, &call).await {
                Ok(found) => match account_of(id, &found) {
                    Ok(account) => account,
                    Err(error) => return error.into(),
                },
                Err(error) => return error.while_planning(id).into(),
            },
            (None, Some(account)) => account.clone(),
            (None, None) => return Diagnostics::default(),
        };
        if config.on_keys_enabled.known() != Some(&OnKeysEnabled::Rotate) {
            return Diagnostics::default();
        }
        match session.arm.get::<StorageAccount>(&account, Read::Remembered, &call).await {
            Ok(found) if found.shared_key_enabled() => locks_out(&account, &names(&config.keys())).into(),
            _ => Diagnostics::default(),
        }
    }

    async fn invoke(&self, context: Context<Session>, config: Config, progress: Progress) -> Diagnostics {
        let Some(session) = context.client.as_deref() else { return report::unconfigured().into() };
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.invoke, TIMEOUT);
        let call = Call::new(context.cancel, allowed);
        let mut diagnostics = Diagnostics::default();
        match Rotation::prepare(session, &call, &progress, &config, &mut diagnostics).await {
            Ok(Some(rotation)) => diagnostics.extend(rotation.run().await),
            Ok(None) => {}
            Err(error) => diagnostics.push(error),
        }
        diagnostics
    }
}

impl Config {
    /// The keys to regenerate, in their order.
    fn keys(&self) -> Vec<KeyName> {
        let wanted = |key: &KeyName| self.keys.known().is_none_or(|keys| keys.contains(&Attr::Known(*key)));
        ORDER.into_iter().filter(wanted).collect()
    }
}

/// A rotation of which nothing has been done yet.
struct Rotation<'r> {
    session: &'r Session,
    call: &'r Call,
    progress: &'r Progress,
    account: StorageAccountId,
    before: StorageAccount,
    keys: Vec<KeyName>,
    /// The hubs that use a key of the account.
    hubs: Vec<WorkspaceId>,
    /// Serialises the changes of the account.
    lock: OwnedMutexGuard<()>,
}

/// What became of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyFate {
    Regenerated,
    NotKnown,
    Kept,
}

impl<'r> Rotation<'r> {
    /// Finds out everything beforehand. `None` where the keys are to be left alone.
    async fn prepare(
        session: &'r Session,
        call: &'r Call,
        progress: &'r Progress,
        config: &Config,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<Self>, Diagnostic> {
        let hub = match config.hub_id.known() {
            None => None,
            Some(id) => {
                let found = hub::read(session, id, Read::Fresh, call).await.map_err(|error| error.diagnostic(id))?;
                Some((id, found))
            }
        };
        let account = match (&hub, config.storage_account_id.known()) {
            (Some((id, hub)), _) => account_of(id, hub)?,
            (None, Some(account)) => account.clone(),
            (None, None) => return Err(report::still_unknown("The storage account's id")),
        };
        // Another resource of this run may be about to disable keys, or to enable them.
        let lock = session.lock(account.arm(), call).await.map_err(|error| not_started(&account, &error))?;
        let before = session.arm.get::<StorageAccount>(&account, Read::Fresh, call).await;
        let before = before.map_err(|error| account_not_read(&account, &error))?;
        let accepts_keys = before.shared_key_enabled();
        match config.on_keys_enabled.known().unwrap_or(&OnKeysEnabled::Fail) {
            OnKeysEnabled::Fail if accepts_keys => return Err(keys_enabled(&account)),
            OnKeysEnabled::Skip if accepts_keys => {
                progress.report(format!("{account} accepts shared keys, so none is regenerated."));
                return Ok(None);
            }
            _ => {}
        }
        // It may be in another subscription than the account.
        let named = hub.filter(|(_, hub)| hub.uses_key_of(account.arm())).map(|(id, _)| id.clone());
        let mut hubs: BTreeSet<_> = named.iter().cloned().collect();
        match users_of(&account, session, call).await {
            Ok((users, unreadable)) => {
                hubs.extend(users);
                match unreadable.is_empty() {
                    true => {}
                    false if accepts_keys => return Err(hubs_not_understood(&account, &unreadable)),
                    false => diagnostics.push(hubs_left_out(&account, &unreadable)),
                }
            }
            Err(error) if error.is_forbidden() && !accepts_keys => {
                diagnostics.push(hubs_not_listed(&account, named.as_ref(), &error));
            }
            Err(error) => return Err(hubs_not_listable(&account, &error)),
        }
        let (keys, hubs) = (config.keys(), hubs.into_iter().collect());
        Ok(Some(Self { session, call, progress, account, before, keys, hubs, lock }))
    }

    async fn run(self) -> Diagnostics {
        let mut fates: Vec<_> = self.keys.iter().map(|key| (*key, KeyFate::Kept)).collect();
        let mut diagnostics = Diagnostics::default();
        for (key, fate) in &mut fates {
            self.progress.report(format!("Regenerating {} of {}.", key.as_ref(), self.account));
            let (result, error) = self.regenerate(*key).await;
            *fate = result;
            if let Some(error) = error {
                diagnostics.push(not_regenerated(&self.account, *key, &error));
                break;
            }
            self.progress.report(format!("{} of {} is new.", key.as_ref(), self.account));
        }
        drop(self.lock);
        if fates.iter().any(|(_, fate)| *fate != KeyFate::Kept) {
            let left = self.session.arm.left(self.call);
            let call = Call::new(self.call.cancel.clone(), left.max(RESYNC_TIMEOUT));
            let failed = resync_all(self.session, self.hubs, &call, self.progress).await;
            if !failed.is_empty() {
                diagnostics.push(hubs_not_resynced(&self.account, &failed));
            }
        }
        if let Some(first) = diagnostics.0.first_mut() {
            first.detail.push_str(&format!("\n\n{}", told(&self.account, &fates)));
        }
        diagnostics
    }

    /// Regenerates a key. Where the answer was lost, the time at which the account says that the key was made tells.
    async fn regenerate(&self, key: KeyName) -> (KeyFate, Option<arm::Error>) {
        let arm = &self.session.arm;
        let error = match arm.regenerate_storage_key(&self.account, key.as_ref(), self.call).await {
            Ok(_) => return (KeyFate::Regenerated, None),
            Err(error) if error.may_have_had_effect() => error,
            Err(error) => return (KeyFate::Kept, Some(error)),
        };
        if error.is_interruption() {
            return (KeyFate::NotKnown, Some(error));
        }
        match arm.get::<StorageAccount>(&self.account, Read::Fresh, self.call).await {
            Ok(now) if made(&now, key) > made(&self.before, key) => (KeyFate::Regenerated, None),
            _ => (KeyFate::NotKnown, Some(error)),
        }
    }
}

fn made(account: &StorageAccount, key: KeyName) -> Option<OffsetDateTime> {
    let times = &account.properties.key_creation_time;
    match key {
        KeyName::Key1 => times.key1,
        KeyName::Key2 => times.key2,
    }
}

/// The kinds of workspaces that keep a key. A project follows its hub.
const WITH_KEYS: [WorkspaceKind; 3] = [WorkspaceKind::Hub, WorkspaceKind::Default, WorkspaceKind::FeatureStore];

/// The workspaces in the account's subscription that keep a key of it, and those of which that cannot be told: what Azure
/// answers for their ids, and why.
async fn users_of(
    account: &StorageAccountId,
    session: &Session,
    call: &Call,
) -> Result<(Vec<WorkspaceId>, Vec<(String, String)>), arm::Error> {
    let all = Workspace::of_kinds(List::<Workspace>::in_subscription(account.subscription()).items(), &WITH_KEYS);
    let none = (Vec::new(), Vec::new());
    let fold = session.arm.pages(all, call).try_fold(none, |(mut users, mut unreadable), page| {
        for item in page.value {
            match item {
                Item::Unreadable { id, why } => unreadable.push((id, why)),
                Item::Readable(hub) if hub.uses_key_of(account.arm()) => match WorkspaceId::parse(&hub.id) {
                    Ok(id) => users.push(id),
                    Err(error) => unreadable.push((hub.id, error.to_string())),
                },
                Item::Readable(_) => {}
            }
        }
        ready(Ok((users, unreadable)))
    });
    fold.await
}

fn account_of(id: &WorkspaceId, hub: &Workspace) -> Result<StorageAccountId, Diagnostic> {
    match hub::refused_project(id, hub) {
        Some(error) => Err(error),
        None => hub::account_of(id, hub),
    }
}

/// Makes the hubs fetch the new keys. Returns those that have not, and why.
async fn resync_all(
    session: &Session,
    hubs: Vec<WorkspaceId>,
    call: &Call,
    progress: &Progress,
) -> Vec<(WorkspaceId, arm::Error)> {
    let one = |hub: WorkspaceId| async move {
        match resync(session, &hub, call).await {
            Ok(()) => {
                progress.report(format!("{hub} has the new keys."));
                None
            }
            // It was deleted meanwhile.
            Err(error) if error.is_not_found() => None,
            Err(error) => Some((hub, error)),
        }
    };
    stream::iter(hubs).map(one).buffered(RESYNCS_AT_ONCE).filter_map(ready).collect().await
}

fn names(keys: &[KeyName]) -> String {
    keys.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" and ")
}

/// What was done and what was not.
fn told(account: &StorageAccountId, fates: &[(KeyName, KeyFate)]) -> String {
    let said = |(key, fate): &(KeyName, KeyFate)| {
        let fate = match fate {
            KeyFate::Regenerated => "was regenerated",
            KeyFate::NotKnown => "may have been regenerated",
            KeyFate::Kept => "was not regenerated",
        };
        format!("{} of {account} {fate}.", key.as_ref())
    };
    fates.iter().map(said).collect::<Vec<_>>().join(" ")
}

fn locks_out(account: &StorageAccountId, keys: &str) -> Diagnostic {
    let detail = format!(
        "{account} accepts shared keys. Whoever uses {keys} now, or a SAS made with it, loses access when it is regenerated. Hubs \
         in accesskey mode fetch the new keys by themselves."
    );
    Diagnostic::warning("Users of shared keys will lose access", detail).at(Path::root(KEYS_ENABLED))
}

fn keys_enabled(account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "{account} accepts shared keys, so that regenerating one locks out whoever uses it. Nothing was regenerated.\n\nDisable \
         shared keys first, with shared_access_key_enabled = false in foundryhub_storage_auth. With on_keys_enabled = \"skip\" the \
         action then does nothing, and with \"rotate\" it regenerates the keys all the same."
    );
    Diagnostic::error("The storage account accepts shared keys", detail).at(Path::root(KEYS_ENABLED))
}

fn not_started(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let next = "Other resources of this run change the same account. Raise invoke in the timeouts block.";
    let detail = format!("No key of {account} was regenerated.\n\n{}", report::explain(error, next));
    Diagnostic::error("No key was regenerated yet", detail)
}

fn account_not_read(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    if error.is_not_found() {
        let next = "Check storage_account_id, or let it refer to the resource that creates the account.";
        let detail = format!("There is no {account}.\n\n{}", report::explain(error, next));
        return Diagnostic::error("The storage account does not exist", detail);
    }
    let diagnostic = hub::account_not_readable(account, error);
    let detail = format!("Whether {account} accepts shared keys is not known. {}", diagnostic.detail);
    Diagnostic { path: None, detail, ..diagnostic }
}

const LISTING: &str = "Microsoft.MachineLearningServices/workspaces/read";

fn hubs_not_listable(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let scope = format!("/subscriptions/{}", account.subscription());
    let reason = report::not_readable(Summary("Cannot list the hubs"), error, LISTING, &scope, "Reader");
    let detail = format!(
        "Which hubs use a key of {account} is not known; they would lose their storage. Nothing was regenerated.\n\n{}",
        reason.detail
    );
    Diagnostic { detail, ..reason }
}

const ONCE_ENABLED: &str =
    "That matters once the account accepts shared keys again: invoke foundryhub_resync_keys then.";

/// A warning, since the account refuses keys, so that no hub has storage to lose. `named` is a hub that is known all the same.
fn hubs_not_listed(account: &StorageAccountId, named: Option<&WorkspaceId>, error: &arm::Error) -> Diagnostic {
    let scope = format!("/subscriptions/{}", account.subscription());
    let what = match named {
        None => format!("Which hubs keep a key of {account} is not known, and none of them fetches the new ones."),
        Some(hub) => {
            format!("{hub} fetches the new keys of {account}. Which other hubs keep one is not known, and they do not.")
        }
    };
    let why = report::explain(error, &report::lacks(error, LISTING, &scope, "Reader"));
    OLD_KEYS.warning(format!("{what} {ONCE_ENABLED}\n\n{why}"))
}

const OLD_KEYS: Summary = Summary("Hubs may keep old keys");

fn hubs_left_out(account: &StorageAccountId, unreadable: &[(String, String)]) -> Diagnostic {
    let detail = format!(
        "Whether these workspaces keep a key of {account} is not known, and they do not fetch the new ones. \
         {ONCE_ENABLED}\n\n{}",
        strange(unreadable)
    );
    OLD_KEYS.warning(detail)
}

fn hubs_not_understood(account: &StorageAccountId, unreadable: &[(String, String)]) -> Diagnostic {
    let detail = format!(
        "Whether these workspaces use a key of {account} is not known; they would lose their storage. Nothing was \
         regenerated.\n\n{}\n\nDisable shared keys first, with shared_access_key_enabled = false in \
         foundryhub_storage_auth; the action then leaves these workspaces out.",
        strange(unreadable)
    );
    Diagnostic::error("Workspaces cannot be read", detail)
}

/// What Azure lists and the provider does not understand.
fn strange(unreadable: &[(String, String)]) -> String {
    let one = |(id, why): &(String, String)| match id.as_str() {
        "" => format!("A workspace without an id: {why}"),
        id => format!("{id}: {why}"),
    };
    let all = unreadable.iter().map(one).collect::<Vec<_>>().join("\n");
    format!("{all}\n\nAzure lists them in a form that the provider does not understand. Please report this.")
}

fn not_regenerated(account: &StorageAccountId, key: KeyName, error: &arm::Error) -> Diagnostic {
    let attempt = Write {
        doing: "regenerating keys",
        not_allowed: Summary("Not allowed to regenerate keys"),
        action: "Microsoft.Storage/storageAccounts/regenerateKey/action",
        scope: account.as_str(),
        roles: "Storage Account Key Operator Service Role, Storage Account Contributor, Contributor and Owner allow it.",
    };
    let (summary, next) =
        write_error::explain(error, attempt).unwrap_or((Summary("A key was not regenerated"), String::new()));
    let detail = format!("Regenerating {} failed.\n\n{}", key.as_ref(), report::explain(error, &next));
    summary.error(detail)
}

fn hubs_not_resynced(account: &StorageAccountId, failed: &[(WorkspaceId, arm::Error)]) -> Diagnostic {
    let one = |(hub, error): &(WorkspaceId, arm::Error)| {
        format!("{hub}: {}", report::explain(error, &not_resynced(hub, error).1))
    };
    let detail = format!(
        "These hubs in accesskey mode have not fetched the new keys of {account}, and cannot access their data with the old \
         ones:\n\n{}\n\nInvoke foundryhub_resync_keys for each, or run az ml workspace sync-keys --name NAME --resource-group \
         GROUP.",
        failed.iter().map(one).collect::<Vec<_>>().join("\n\n")
    );
    Diagnostic::error("Hubs have not fetched the new keys", detail)
}
