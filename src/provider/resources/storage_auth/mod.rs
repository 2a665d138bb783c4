//! `foundryhub_storage_auth`: how a hub signs in to its storage account, and whether that account takes shared keys.
//!
//! The two properties belong to two Azure resources that this one does not own. It remembers in `original` what each was
//! before it first wrote it, and in its private data what it wrote last, so that destroying puts back its own changes and
//! nothing else. Looking and changing is [`change`].

mod change;
mod explain;
mod schema;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    arm::{
        Call, Read, StorageAccountId, WorkspaceId,
        workspaces::{AuthMode, AuthModeKind, Workspace},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Private,
        resource::{
            Context, CreateRequest, DeleteRequest, ImportTarget, MoveSource, Outcome, PlanRequest, Planned, Resource,
            UpdateRequest,
        },
        schema::{IdentitySchema, Schema},
    },
    provider::{
        Session,
        access::{self, Access, Check},
        session::Objects,
    },
};
use change::{Account, Change, Look, Unseen};
use schema::{Identity, Pair, Settings, State};

/// How long operations may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);
const WRITING: Duration = Duration::from_secs(30 * 60);

/// Private: what was last written from here.
const WRITTEN: &str = "written";
/// Private, in the plan of a creation: the hub that it is about, for the removal that precedes it in a replacement.
const CREATES: &str = "creates";

/// What a session's claims on hubs and accounts are about.
const MODE: &str = "systemDatastoresAuthMode";
const KEYS: &str = "allowSharedKeyAccess";

/// The resource type.
#[derive(Debug)]
pub struct StorageAuth;

impl Resource for StorageAuth {
    type Client = Session;
    type State = State;
    type Identity = Identity;

    fn name(&self) -> &'static str {
        "foundryhub_storage_auth"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn identity_schema(&self) -> IdentitySchema {
        schema::identity_schema()
    }

    fn identity(&self, state: &State) -> Option<Identity> {
        Some(Identity { hub_id: state.hub_id.text()?.to_owned() })
    }

    fn validate(&self, config: &State) -> Diagnostics {
        schema::validate(config)
    }

    async fn plan(&self, context: Context<'_, Session>, request: PlanRequest<State>) -> Planned<State> {
        let PlanRequest { prior, config, mut planned, mut private } = request;
        let mut diagnostics = Diagnostics::default();
        let hub = planned.hub();
        planned.id = hub.as_ref().map_or(Attr::Unknown, |hub| hub.as_str().to_owned().into());
        let prior = prior.filter(|prior| schema::same_id_attr(&prior.hub_id, &planned.hub_id));
        // In the second plan of a replacement the private data are the old object's, which its removal needs.
        private.remove(CREATES);
        match (&prior, &hub) {
            (Some(prior), _) => plan_change(prior, &config, &mut planned),
            (None, Some(hub)) => private.set(CREATES, &hub.arm().key()),
            (None, None) => {}
        }
        if let (Some(session), Some(hub)) = (context.client, &hub) {
            if prior.is_none() {
                let all = session.note_object(hub.arm(), |all: &mut Objects| all.created += 1);
                if all.destroyed > 0 {
                    diagnostics.push(explain::two_addresses(hub));
                }
            }
            // Once somebody has written, this is the second plan of an apply, which is about to look for itself.
            if session.arm.remembers_reads() {
                let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.read, READING));
                let prior = prior.as_ref().map(State::settings);
                diagnostics.extend(foresee(session, &call, hub, prior, &config, &planned).await);
            }
        }
        Planned { state: planned, private, requires_replace: Vec::new(), diagnostics }
    }

    async fn plan_destroy(&self, context: Context<'_, Session>, prior: State, private: &mut Private) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        if let (Some(session), Some(hub)) = (context.client, prior.hub())
            && !session.has_claimed(hub.arm(), MODE)
        {
            let all = session.note_object(hub.arm(), |all: &mut Objects| all.destroyed += 1);
            if all.created > 0 {
                diagnostics.push(explain::two_addresses(&hub));
            }
        }
        let (now, written) = (prior.settings(), Written::load(private).settings());
        let changes = Settings {
            mode: put_back(&prior.restores().mode, &now.mode, &written.mode).cloned(),
            keys: put_back(&prior.restores().keys, &now.keys, &written.keys).copied(),
        };
        if changes != Settings::default() {
            let leaves = Settings { mode: changes.mode.clone().or(now.mode), keys: changes.keys.or(now.keys) };
            let text = |attr: &Attr<String>| attr.text().unwrap_or_default().to_owned();
            let (hub, account) = (text(&prior.hub_id), text(&prior.storage_account_id));
            diagnostics.push(explain::will_restore(&hub, &account, &changes, &leaves));
        }
        diagnostics
    }

    async fn create(&self, context: Context<'_, Session>, request: CreateRequest<State>) -> Outcome<State> {
        let CreateRequest { config, planned, .. } = request;
        let Some(session) = context.client else { return kept(None, Private::default(), explain::unconfigured()) };
        let inherited = planned.hub().and_then(|hub| session.inherit::<State>(hub.arm()));
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.create, WRITING));
        apply(session, &call, inherited.map(Before::Inherited), config, planned, Private::default()).await
    }

    async fn read(&self, context: Context<'_, Session>, mut state: State, private: Private) -> Outcome<State> {
        let Some(session) = context.client else { return kept(Some(state), private, explain::unconfigured()) };
        let Some(hub) = state.hub() else { return kept(Some(state), private, unsettled()) };
        let call = Call::new(context.cancel, state.timeout(|timeouts| &timeouts.read, READING));
        match Look::at(session, &hub, account_of(&state), Read::Remembered, &call).await {
            Ok(look) => {
                let mut diagnostics = Diagnostics::default();
                match &look.account {
                    Account::Seen(_) => {}
                    Account::Gone(_) => diagnostics.push(explain::account_gone(&look.account_id)),
                    Account::Hidden(error) => diagnostics.push(explain::account_hidden(&look.account_id, error)),
                }
                observe(&mut state, &look);
                Outcome { state: Some(state), private, diagnostics }
            }
            Err(Unseen::NoHub(_)) => Outcome { state: None, private, diagnostics: Diagnostics::default() },
            Err(Unseen::Failed(error)) => kept(Some(state), private, error),
        }
    }

    async fn update(&self, context: Context<'_, Session>, request: UpdateRequest<State>) -> Outcome<State> {
        let UpdateRequest { prior, config, planned, private } = request;
        let Some(session) = context.client else { return kept(Some(prior), private, explain::unconfigured()) };
        let call = Call::new(context.cancel, planned.timeout(|timeouts| &timeouts.update, WRITING));
        let target =
            Settings { mode: planned.settings().mode, keys: config.shared_access_key_enabled.known().copied() };
        if target.is_met_by(&prior.settings()) {
            if let Some(hub) = planned.hub() {
                claim(session, &hub, account_of(&prior).as_ref(), &target);
            }
            return Outcome { state: Some(planned), private, diagnostics: Diagnostics::default() };
        }
        apply(session, &call, Some(Before::Updated(prior)), config, planned, private).await
    }

    async fn delete(&self, context: Context<'_, Session>, request: DeleteRequest<State>) -> Outcome<State> {
        let DeleteRequest { prior, private, replacing } = request;
        let Some(session) = context.client else { return kept(Some(prior), private, explain::unconfigured()) };
        let Some(hub) = prior.hub() else { return kept(Some(prior), private, unsettled()) };
        session.arm.stop_remembering();
        let gone = |diagnostics| Outcome { state: None, private: Private::default(), diagnostics };
        if replacing && private.get::<String>(CREATES).as_deref() == Some(hub.arm().key().as_str()) {
            session.bequeath(hub.arm(), prior);
            return gone(Diagnostics::default());
        }
        if prior.restores() == Settings::default() {
            return gone(Diagnostics::default());
        }
        let call = Call::new(context.cancel, prior.timeout(|timeouts| &timeouts.delete, WRITING));
        restore(session, &call, &hub, prior, private).await
    }

    async fn import(&self, context: Context<'_, Session>, target: ImportTarget<Identity>) -> Outcome<State> {
        let failed = |error| kept(None, Private::default(), error);
        let Some(session) = context.client else { return failed(explain::unconfigured()) };
        let text = match target {
            ImportTarget::Id(text) => text,
            ImportTarget::Identity(identity) => identity.hub_id,
        };
        let hub = match WorkspaceId::parse(&text) {
            Ok(hub) => hub,
            Err(error) => return failed(Diagnostic::error("Nothing can be imported by this id", format!("{error}."))),
        };
        let call = Call::new(context.cancel, READING);
        // The engine reads the object next, and gets this same answer.
        match session.arm.workspaces().get(&hub, Read::Remembered, &call).await {
            Ok(found) => match explain::refused_kind(&hub, &found) {
                Some(error) => failed(error),
                None => Outcome {
                    state: Some(State::named(&hub)),
                    private: Private::default(),
                    diagnostics: Diagnostics::default(),
                },
            },
            Err(error) if error.is_not_found() => failed(explain::no_hub(&hub, &error)),
            Err(error) => failed(explain::hub_not_read(&hub, &error)),
        }
    }

    fn take_over(&self, source: &MoveSource) -> Option<Outcome<State>> {
        let state = Some(State::named(&moved_hub(source)?));
        Some(Outcome { state, private: Private::default(), diagnostics: Diagnostics::default() })
    }
}

/// The workspace of an azapi_update_resource. What it sets, and what was there before, its state does not tell; the read
/// that follows tells the first.
fn moved_hub(source: &MoveSource) -> Option<WorkspaceId> {
    let text = |name: &str| source.state.get(name).and_then(serde_json::Value::as_str);
    let (resource_type, _) = text("type")?.split_once('@')?;
    let is_azapi = source.provider_address.to_lowercase().ends_with("/azure/azapi");
    let is_hub = resource_type.eq_ignore_ascii_case(WorkspaceId::RESOURCE_TYPE);
    if !is_azapi || source.type_name != "azapi_update_resource" || !is_hub {
        return None;
    }
    text("resource_id").or_else(|| text("id")).and_then(|id| WorkspaceId::parse(id).ok())
}

/// What this resource wrote last, as the private data have it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    mode: Option<String>,
    keys: Option<bool>,
}

impl Written {
    fn load(private: &Private) -> Self {
        private.get(WRITTEN).unwrap_or_default()
    }

    fn settings(&self) -> Settings {
        Settings { mode: self.mode.clone().map(AuthMode::new), keys: self.keys }
    }

    fn save(settings: &Settings, private: &mut Private) {
        let mode = settings.mode.as_ref().map(|mode| mode.wire().to_owned());
        private.set(WRITTEN, &Self { mode, keys: settings.keys });
    }
}

/// What there was before an apply.
enum Before {
    /// The object that is being updated.
    Updated(State),
    /// The object whose replacement is being created. Nothing of it was undone.
    Inherited(State),
}

impl Before {
    fn state(&self) -> &State {
        match self {
            Self::Updated(state) | Self::Inherited(state) => state,
        }
    }
}

/// Completes the plan of a change. What is computed keeps its value, but for what the change is going to find out.
fn plan_change(prior: &State, config: &State, planned: &mut State) {
    let mut original = prior.original.known().cloned().unwrap_or_default();
    if original.system_datastores_auth_mode.is_null() && planned.settings().mode != prior.settings().mode {
        original.system_datastores_auth_mode = Attr::Unknown;
    }
    let keys = &config.shared_access_key_enabled;
    if original.shared_access_key_enabled.is_null() && !keys.is_null() && *keys != prior.shared_access_key_enabled {
        original.shared_access_key_enabled = Attr::Unknown;
    }
    planned.original = original.into();
}

/// Looks at what is planned, and warns of what is in its way. What this finds decides nothing: it is looked at again at the
/// apply.
async fn foresee(
    session: &Session,
    call: &Call,
    hub_id: &WorkspaceId,
    prior: Option<Settings>,
    config: &State,
    planned: &State,
) -> Diagnostics {
    let target = wanted(config, planned);
    if target.mode.as_ref().is_some_and(|mode| mode.kind() != AuthModeKind::AccessKey) {
        access::plans_to_leave_keys(session, hub_id);
    }
    if prior.as_ref().is_some_and(|prior| !target.takes_keys_away(prior)) {
        return Diagnostics::default();
    }
    // After a refresh this is what it was told.
    let hub = match session.arm.workspaces().get(hub_id, Read::Remembered, call).await {
        Ok(hub) => hub,
        Err(error) if error.is_not_found() => return explain::no_hub_yet(hub_id).into(),
        Err(error) if error.is_forbidden() => return explain::hub_hidden(hub_id, &error).into(),
        Err(error) => return explain::hub_not_read(hub_id, &error).into(),
    };
    if let Some(error) = explain::refused_kind(hub_id, &hub) {
        return error.into();
    }
    let now = prior
        .unwrap_or_else(|| Settings { mode: Some(hub.properties.system_datastores_auth_mode.clone()), keys: None });
    let Ok(account) = StorageAccountId::parse(&hub.properties.storage_account) else { return Diagnostics::default() };
    let access = access_of(session, call, hub_id, &hub, &account, planned);
    if access.check == Check::Off || !target.takes_keys_away(&now) {
        return Diagnostics::default();
    }
    // Only where nothing else is going to change does it matter whether keys are off already.
    if now.keys.is_none() && now.mode == target.mode {
        let found = session.arm.storage_accounts().get(&account, Read::Remembered, call).await;
        if found.is_ok_and(|found| !found.shared_key_enabled()) {
            return Diagnostics::default();
        }
    }
    let findings = access.foresee(target.keys == Some(false) && now.keys != Some(false)).await;
    access::foretell(&findings, access.check)
}

fn access_of<'a>(
    session: &'a Session,
    call: &'a Call,
    hub_id: &'a WorkspaceId,
    hub: &'a Workspace,
    account: &'a StorageAccountId,
    planned: &State,
) -> Access<'a> {
    let (principals, check, settle) = (planned.principals(), planned.check(), planned.settle_time());
    Access { session, call, hub_id, hub, account, principals, check, settle }
}

/// What a configuration wants of hub and account. Keys that it does not speak of may be as they are.
fn wanted(config: &State, planned: &State) -> Settings {
    Settings { mode: planned.settings().mode, keys: config.shared_access_key_enabled.known().copied() }
}

/// Brings hub and account to what is planned.
async fn apply(
    session: &Session,
    call: &Call,
    before: Option<Before>,
    config: State,
    mut planned: State,
    mut private: Private,
) -> Outcome<State> {
    session.arm.stop_remembering();
    let untouched = |private, error| kept(before.as_ref().map(|before| before.state().clone()), private, error);
    let Some(hub) = planned.hub() else { return untouched(private, unsettled()) };
    let _hub_turn = match session.turn(hub.arm(), call).await {
        Ok(turn) => turn,
        Err(error) => return untouched(private, explain::hub_not_read(&hub, &error)),
    };
    let known = before.as_ref().and_then(|before| account_of(before.state()));
    let look = match Look::at(session, &hub, known, Read::Fresh, call).await {
        Ok(look) => look,
        Err(Unseen::NoHub(error)) => return untouched(private, explain::no_hub(&hub, &error)),
        Err(Unseen::Failed(error)) => return untouched(private, error),
    };
    let _account_turn = match session.turn(look.account_id.arm(), call).await {
        Ok(turn) => turn,
        Err(error) => return untouched(private, explain::account_not_read(&look.account_id, &error)),
    };
    let target = wanted(&config, &planned);
    let mut warnings = Diagnostics::default();
    if let Some(error) = explain::refused_kind(&hub, &look.hub) {
        return untouched(private, error);
    }
    match (&look.account, target.keys) {
        (Account::Seen(_), _) => {}
        (Account::Gone(error), _) => return untouched(private, explain::no_account(&look.account_id, error)),
        (Account::Hidden(error), Some(_)) => {
            return untouched(private, explain::account_not_read(&look.account_id, error));
        }
        (Account::Hidden(error), None) => warnings.push(explain::account_hidden(&look.account_id, error)),
    }

    let found = look.settings();
    let access = access_of(session, call, &hub, &look.hub, &look.account_id, &planned);
    let mut change = Change {
        session,
        call,
        hub: &hub,
        account: &look.account_id,
        now: found.clone(),
        wrote: Settings::default(),
        found: warnings,
    };
    let result = change.run(&target, Some(&access)).await;
    let Change { now, wrote, found: mut diagnostics, .. } = change;

    let mut original = before.as_ref().map(|before| Settings::of(&before.state().original)).unwrap_or_default();
    let mut written = match &before {
        // What a replaced object wrote is not handed down with it. All it wrote is as planned now.
        Some(Before::Inherited(_)) => {
            Settings { mode: original.mode.as_ref().and(now.mode.clone()), keys: original.keys.and(now.keys) }
        }
        _ => Written::load(&private).settings(),
    };
    if wrote.mode.is_some() {
        original.mode = original.mode.or(found.mode);
        written.mode = wrote.mode.clone();
    }
    if wrote.keys.is_some() {
        original.keys = original.keys.or(found.keys);
        written.keys = wrote.keys;
    }
    Written::save(&written, &mut private);
    let changed = wrote != Settings::default();
    if result.is_ok() || changed {
        claim(session, &hub, Some(&look.account_id), &target);
    }

    let error = match result {
        Ok(()) => None,
        Err(error) if !changed && !matches!(before, Some(Before::Inherited(_))) => {
            diagnostics.push(error);
            let state = before.map(|before| before.state().clone());
            return Outcome { state, private, diagnostics };
        }
        Err(error) => Some(error),
    };
    // After a failure the settings of the configuration are not in force yet, so that the next plan has them again.
    let mut state = match (&error, before) {
        (Some(_), Some(Before::Updated(prior))) => prior,
        // What the hub is known by has been planned to stay; a refresh finds out about a change.
        (None, Some(Before::Updated(_))) => planned,
        _ => {
            fill(&mut planned, &look);
            planned
        }
    };
    if error.is_some() {
        note(&mut state, &now);
    } else if state.shared_access_key_enabled.is_unknown() {
        state.shared_access_key_enabled = now.keys.into();
    }
    state.original = original.pair().into();
    diagnostics.0.extend(error);
    Outcome { state: Some(state), private, diagnostics }
}

/// Puts back what this resource has changed, as far as nobody else has a say in it.
async fn restore(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
) -> Outcome<State> {
    let Settings { mut mode, mut keys } = prior.restores();
    let mut diagnostics = Diagnostics::default();
    let original = Settings::of(&prior.original);
    let Ok(_hub_turn) = session.turn(hub.arm(), call).await else { return kept(Some(prior), private, unsettled()) };
    let known = account_of(&prior);
    let _account_turn = match &known {
        Some(account) => session.turn(account.arm(), call).await.ok(),
        None => None,
    };
    if let Some(wanted) = &mode
        && session.has_claimed(hub.arm(), MODE)
    {
        let wire = original.mode.as_ref().unwrap_or(wanted).wire();
        diagnostics.push(explain::claimed(&format!("systemDatastoresAuthMode of {hub}"), wire));
        mode = None;
    }
    if let (Some(wanted), Some(account)) = (keys, &known)
        && session.has_claimed(account.arm(), KEYS)
    {
        let before = original.keys.unwrap_or(wanted).to_string();
        diagnostics.push(explain::claimed(&format!("allowSharedKeyAccess of {account}"), &before));
        keys = None;
    }
    let gone = |diagnostics| Outcome { state: None, private: Private::default(), diagnostics };
    if mode.is_none() && keys.is_none() {
        return gone(diagnostics);
    }
    let written = Written::load(&private).settings();
    let (account, now) = match Look::at(session, hub, known.clone(), Read::Fresh, call).await {
        Ok(look) => (look.account_id.clone(), look.settings()),
        // The account outlives the hub, and so does what was changed there.
        Err(Unseen::NoHub(_)) => match known {
            Some(account) => match session.arm.storage_accounts().get(&account, Read::Fresh, call).await {
                Ok(found) => (account, Settings { mode: None, keys: Some(found.shared_key_enabled()) }),
                Err(error) if error.is_not_found() => return gone(diagnostics),
                Err(error) => {
                    diagnostics.push(explain::account_not_read(&account, &error));
                    return Outcome { state: Some(prior), private, diagnostics };
                }
            },
            None => return gone(diagnostics),
        },
        Err(Unseen::Failed(error)) => {
            diagnostics.push(error);
            return Outcome { state: Some(prior), private, diagnostics };
        }
    };
    let target = Settings {
        mode: put_back(&mode, &now.mode, &written.mode).cloned(),
        keys: put_back(&keys, &now.keys, &written.keys).copied(),
    };
    if let (None, Some(wanted), Some(is), Some(ours)) = (&target.mode, &mode, &now.mode, &written.mode)
        && wanted != is
    {
        let what = format!("systemDatastoresAuthMode of {hub}");
        diagnostics.push(explain::left_alone(&what, ours.wire(), is.wire(), wanted.wire()));
    }
    if let (None, Some(wanted), Some(is), Some(ours)) = (target.keys, keys, now.keys, written.keys)
        && wanted != is
    {
        let what = format!("allowSharedKeyAccess of {account}");
        diagnostics.push(explain::left_alone(&what, &ours.to_string(), &is.to_string(), &wanted.to_string()));
    }
    let mut change =
        Change { session, call, hub, account: &account, now, wrote: Settings::default(), found: diagnostics };
    let result = change.run(&target, None).await;
    let Change { now, wrote, found: mut diagnostics, .. } = change;
    match result {
        Ok(()) => gone(diagnostics),
        Err(error) => {
            diagnostics.push(error);
            let written = Settings { mode: wrote.mode.or(written.mode), keys: wrote.keys.or(written.keys) };
            Written::save(&written, &mut private);
            note(&mut prior, &now);
            Outcome { state: Some(prior), private, diagnostics }
        }
    }
}

/// What a property is to be put back to; `None` when it is that already, is not there, or somebody else has changed it
/// since it was `written` from here.
fn put_back<'v, T: PartialEq>(wanted: &'v Option<T>, now: &Option<T>, written: &Option<T>) -> Option<&'v T> {
    let (wanted, now) = (wanted.as_ref()?, now.as_ref()?);
    let ours = written.as_ref().is_none_or(|written| written == now);
    (wanted != now && ours).then_some(wanted)
}

/// Takes what was seen into the state. Spellings that mean the same stay.
fn observe(state: &mut State, look: &Look) {
    fill(state, look);
    note(state, &look.settings());
}

/// Fills in what only Azure knows of the hub.
fn fill(state: &mut State, look: &Look) {
    state.id = state.hub().map(|hub| hub.as_str().to_owned()).into();
    if account_of(state).as_ref() != Some(&look.account_id) {
        state.storage_account_id = look.account_id.as_str().to_owned().into();
    }
    state.hub_principal_id = look.hub.system_principal_id().map(str::to_owned).into();
    let assigned = look.hub.user_assigned_principal_ids().map(|id| id.to_owned().into());
    state.hub_user_assigned_principal_ids = Attr::Known(assigned.collect());
    if state.original.is_null() {
        state.original = Pair::default().into();
    }
}

/// Takes the two properties into the state.
fn note(state: &mut State, now: &Settings) {
    if let Some(mode) = &now.mode
        && state.settings().mode.as_ref() != Some(mode)
    {
        state.system_datastores_auth_mode = mode.as_str().to_owned().into();
    }
    match now.keys {
        Some(keys) => state.shared_access_key_enabled = keys.into(),
        None if state.shared_access_key_enabled.is_unknown() => state.shared_access_key_enabled = Attr::Null,
        None => {}
    }
}

fn account_of(state: &State) -> Option<StorageAccountId> {
    StorageAccountId::parse(state.storage_account_id.text()?).ok()
}

/// Notes what of hub and account this run has made its own.
fn claim(session: &Session, hub: &WorkspaceId, account: Option<&StorageAccountId>, target: &Settings) {
    session.claim(hub.arm(), MODE);
    if let (Some(account), Some(_)) = (account, target.keys) {
        session.claim(account.arm(), KEYS);
    }
}

fn kept(state: Option<State>, private: Private, error: Diagnostic) -> Outcome<State> {
    Outcome { state, private, diagnostics: error.into() }
}

fn unsettled() -> Diagnostic {
    Diagnostic::error(
        "Something is still unknown",
        "When this was applied the hub's id could not be told. This is a mistake of the foundryhub provider; please report it.",
    )
}
