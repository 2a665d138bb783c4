//! `foundryhub_resync_keys`: makes a hub fetch the current keys of its storage account.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    arm::{self, Call, WorkspaceId},
    framework::{
        Attr, Diagnostics, Path, Summary, Type,
        action::{Action, Progress},
        context::Context,
        schema::{Attribute, Block},
        timeouts::{self, InvokeTimeout},
    },
    provider::{
        Session, report,
        write_error::{self, Write},
    },
};

pub(crate) struct ResyncKeys;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    hub_id: Attr<WorkspaceId>,
    timeouts: Attr<InvokeTimeout>,
}

/// How long the action may take where the configuration does not say.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

const DESCRIPTION: &str = "Makes an Azure AI Foundry hub fetch the current keys of its storage account, and of the other resources that it keeps keys of.

A hub in `accesskey` mode keeps a copy of the account's key. Invoke this action after somebody has regenerated that key. \
`foundryhub_rotate_storage_keys` does it by itself for the hubs of the account, and so does `foundryhub_storage_auth` when it \
switches a hub to `accesskey`.

Datastores that somebody has registered with a key of their own keep that key; only the hub's system datastores follow.";

impl Action for ResyncKeys {
    type Client = Session;
    type Config = Config;

    fn name(&self) -> &'static str {
        "foundryhub_resync_keys"
    }

    fn schema(&self) -> Block {
        let hub_id = Attribute::required("hub_id", Type::String, "ARM id of the hub, or of another workspace.");
        let attributes = vec![hub_id.parsed::<WorkspaceId>()];
        let blocks = vec![timeouts::block_of(&[("invoke", "For the whole action; 30 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    async fn invoke(&self, context: Context<Session>, config: Config, progress: Progress) -> Diagnostics {
        let Some(session) = context.client.as_deref() else { return report::unconfigured().into() };
        let Some(hub) = config.hub_id.known() else { return report::still_unknown("The hub's id").into() };
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.invoke, TIMEOUT);
        progress.report(format!("{hub} fetches the current keys."));
        match resync(session, hub, &Call::new(context.cancel, allowed)).await {
            Ok(()) => {
                progress.report(format!("{hub} has the current keys."));
                Diagnostics::default()
            }
            Err(error) => {
                let (summary, next) = not_resynced(hub, &error);
                let detail = format!("{hub} has not fetched the current keys.\n\n{}", report::explain(&error, &next));
                summary.error(detail).at(Path::root("hub_id")).into()
            }
        }
    }
}

/// Makes a hub fetch the current keys, while nothing else of this run changes it.
pub(super) async fn resync(session: &Session, hub: &WorkspaceId, call: &Call) -> Result<(), arm::Error> {
    let _lock = session.lock(hub.arm(), call).await?;
    session.arm.resync_keys(hub, call).await
}

/// Why a hub has not fetched the keys, and what to do.
pub(super) fn not_resynced(hub: &WorkspaceId, error: &arm::Error) -> (Summary, String) {
    if error.is_not_found() {
        return (
            Summary("The hub does not exist"),
            "Check hub_id, or let it refer to the resource that creates the hub.".into(),
        );
    }
    let attempt = Write {
        doing: "fetching keys",
        not_allowed: Summary("Not allowed to make the hub fetch keys"),
        action: "Microsoft.MachineLearningServices/workspaces/resyncKeys/action",
        scope: hub.as_str(),
        roles: "Azure AI Administrator, Contributor and Owner allow it.",
    };
    write_error::explain(error, attempt).unwrap_or((Summary("The hub cannot fetch the keys"), String::new()))
}
