//! `foundryhub_storage_key_usage`: whether the keys of a storage account are still used.

mod requests;
mod usage;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::{
    arm::{self, Call, Read as Recency, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount},
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Summary, Type, Value,
        context::Context,
        data_source::{DataSource, Read},
        schema::{Attribute, Block, Nesting, Presence, Refusal},
        timeouts::{self, ReadTimeout},
    },
    provider::{Session, hub, report},
};
use usage::{Usage, UsageAttributes, rfc3339};

#[derive(Debug)]
pub(crate) struct StorageKeyUsage;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    storage_account_id: Attr<StorageAccountId>,
    hub_id: Attr<WorkspaceId>,
    days: Attr<u32>,
    total: Attr<UsageAttributes>,
    services: Attr<BTreeMap<String, UsageAttributes>>,
    verified: Attr<bool>,
    from: Attr<String>,
    until: Attr<String>,
    timeouts: Attr<ReadTimeout>,
}

/// The services of an account, which needs no request of its own, since it sums them (azure.md §10.3).
const SERVICES: [&str; 4] = ["blob", "file", "queue", "table"];

/// The days that are looked at where the configuration does not say.
const DAYS: u32 = 30;

/// How long the read may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);

const ACTION: &str = "Microsoft.Insights/metrics/read";

const DESCRIPTION: &str = "Whether the keys of a storage account were used in the last days, as Azure Monitor counts calls: by account key, SAS, Microsoft Entra \
token or without any, of the whole account and of each of its services.

Made for a `precondition` that holds back keys-off. A hub on keys is a user of them itself, so that it is switched to identity first, and keys \
go off once a week has passed without any use:

```terraform
variable \"shared_access_key_enabled\" {
  type        = bool
  default     = null
  description = \"False turns keys off, once the hub has been on identity for a week.\"
}

data \"foundryhub_storage_key_usage\" \"hub\" {
  hub_id = var.hub_id
  days   = 7
}

resource \"foundryhub_storage_auth\" \"hub\" {
  hub_id                    = var.hub_id
  shared_access_key_enabled = var.shared_access_key_enabled

  lifecycle {
    precondition {
      condition     = var.shared_access_key_enabled != false || data.foundryhub_storage_key_usage.hub.total.verdict == \"none_seen\"
      error_message = \"Keys may be in use: ${jsonencode(data.foundryhub_storage_key_usage.hub)}\"
    }
  }
}
```

`none_seen` means that no use was seen in the time from `from` until `until`, and never that it is safe: a job that runs every \
quarter shows in 90 days at the latest, Azure keeps 93, and an account that was moved or renamed begins anew. Some minutes \
pass until a call is counted, and the hour that has begun is not looked at. Mounts of Azure Files by SMB, and by default the \
portal, use a key for file shares. Calls that Azure makes by itself are left out, and listing keys is no call to a service.

Calls by key or SAS that were refused are in `failed` and nowhere else, so that clients that still try do not hold back a \
plan after keys went off. A `check` block can tell of them.

Without the permission Microsoft.Insights/metrics/read on the account, which Reader and Monitoring Reader have, `verified` is \
false, counts and verdicts are null, and a warning names the permission.

It sends four requests for up to 30 days, eight for up to 60 and twelve for up to 90, side by side; one more for each of them \
that has calls by account key or SAS, to tell which were refused; and with `hub_id` one before them. An account that lacks \
some of the services is read, too, and has no entry for them in `services`.";

impl DataSource for StorageKeyUsage {
    type Client = Session;
    type State = State;

    fn name(&self) -> &'static str {
        "foundryhub_storage_key_usage"
    }

    fn schema(&self) -> Block {
        let computed = |name, description| Attribute::computed(name, Type::String, description);
        let nested = |name, nesting, description| {
            Attribute::nested(name, nesting, Presence::Computed, usage::attributes(), description)
        };
        let attributes = vec![
            Attribute::optional(
                "storage_account_id",
                Type::String,
                "ARM id of the storage account, unless `hub_id` is set.",
            )
            .or_computed()
            .parsed::<StorageAccountId>(),
            Attribute::optional("hub_id", Type::String, "ARM id of the hub whose default storage account it is.")
                .parsed::<WorkspaceId>(),
            Attribute::optional("days", Type::Number, "How many days are looked at, 1 to 90; 30 if not set.")
                .or_computed()
                .check(number_of_days),
            nested("total", Nesting::Single, "The whole account, as the sum of its services."),
            nested("services", Nesting::Map, "Each service of the account: `blob`, `file`, `queue` and `table`."),
            Attribute::computed("verified", Type::Bool, "Whether the caller may read the metrics of all services."),
            computed("from", "When the first of the days began (RFC 3339)."),
            computed("until", "When the last of the days ended, with a whole hour (RFC 3339)."),
        ];
        let blocks = vec![timeouts::block_of(&[("read", "For reading all metrics; 5 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    fn validate(&self, config: &State) -> Diagnostics {
        let (summary, detail) = match (&config.storage_account_id, &config.hub_id) {
            (Attr::Null, Attr::Null) => {
                (Summary("The storage account is not named"), "Set storage_account_id or hub_id.")
            }
            (Attr::Known(_), Attr::Known(_)) => (
                Summary("The storage account is named twice"),
                "A hub means its storage account. Remove storage_account_id or hub_id.",
            ),
            _ => return Diagnostics::default(),
        };
        summary.error(detail).at(Path::root("storage_account_id")).into()
    }

    async fn read(&self, context: Context<Session>, mut config: State) -> Read<State> {
        let session = context.client.ok_or_else(report::unconfigured)?;
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, READING);
        let call = Call::new(context.cancel, allowed);
        let account = account_of(&config, &session, &call).await?;
        let days = config.days.known().copied().unwrap_or(DAYS);
        let spans = requests::spans(session.arm.utc(), days);
        let asked = SERVICES.map(|service| requests::usage(&session, &account, service, &spans, &call));

        let (mut services, mut denied, mut refused) = (BTreeMap::new(), None, Vec::new());
        for (service, answer) in SERVICES.into_iter().zip(join_all(asked).await) {
            let usage = match answer {
                Ok(usage) => Some(usage),
                Err(error) if error.is_forbidden() => {
                    denied.get_or_insert(error);
                    None
                }
                Err(error) if is_about_resource(&error) => {
                    refused.push((service, error));
                    continue;
                }
                Err(error) => return Err(not_read(&account, &error).into()),
            };
            services.insert(service.to_owned(), usage);
        }
        check_absent(&session, &account, refused, &call).await?;

        let total = services.values().try_fold(Usage::default(), |mut total, usage| {
            total.add(usage.as_ref()?);
            Some(total)
        });
        let shown = |usage: Option<Usage>| usage.as_ref().map(Usage::shown).unwrap_or_default();
        config.total = shown(total).into();
        let services = services.into_iter().map(|(service, usage)| (service, shown(usage)));
        config.services = services.collect::<BTreeMap<_, _>>().into();
        config.verified = denied.is_none().into();
        config.days = days.into();
        config.from = spans.first().map(|span| rfc3339(span.from)).into();
        config.until = spans.last().map(|span| rfc3339(span.until)).into();
        let warning = denied.map(|error| not_verified(&account, &error));
        config.storage_account_id = account.into();
        Ok((config, warning.map(Diagnostics::from).unwrap_or_default()))
    }
}

fn number_of_days(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|days| !(1..=90).contains(&days)) => {
            Err(Refusal::invalid(format!("{number} is not a whole number from 1 to 90.")))
        }
        _ => Ok(()),
    }
}

/// The account that is named, or that of the hub.
async fn account_of(config: &State, session: &Session, call: &Call) -> Result<StorageAccountId, Diagnostic> {
    let Some(hub_id) = config.hub_id.known() else {
        return config.storage_account_id.known().cloned().ok_or_else(|| report::still_unknown("storage_account_id"));
    };
    let found = hub::read(session, hub_id, Recency::Fresh, call).await;
    let hub = found.map_err(|error| error.diagnostic(hub_id))?;
    match hub::refused_project(hub_id, &hub) {
        Some(refused) => Err(refused),
        None => hub::account_of(hub_id, &hub),
    }
}

/// Whether an error may mean that an account lacks a service.
fn is_about_resource(error: &arm::Error) -> bool {
    matches!(error, arm::Error::Service(error) if matches!(error.status.as_u16(), 400 | 404))
}

/// Makes sure that services for which Azure refused the metrics are none of the account's. An error if they are, or if there is
/// no such account.
async fn check_absent(
    session: &Session,
    account: &StorageAccountId,
    refused: Vec<(&str, arm::Error)>,
    call: &Call,
) -> Result<(), Diagnostic> {
    let Some((_, first)) = refused.first() else { return Ok(()) };
    let found = match session.arm.get::<StorageAccount>(account, Recency::Fresh, call).await {
        Ok(found) => found,
        Err(error) if error.is_not_found() => {
            let detail = format!("There is no {account}.\n\n{}", report::explain(&error, ""));
            return Err(Diagnostic::error("The storage account does not exist", detail));
        }
        Err(_) => return Err(not_read(account, first)),
    };
    let endpoints = &found.properties.primary_endpoints;
    let present = |service: &str| endpoints.is_empty() || endpoints.contains_key(service);
    match refused.iter().find(|(service, _)| present(service)) {
        Some((_, error)) => Err(not_read(account, error)),
        None => Ok(()),
    }
}

fn not_read(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let summary = Summary("The metrics of the storage account were not read");
    let failure = report::failure(summary, error, "");
    Diagnostic {
        detail: format!("Whether keys of {account} are in use is not known.\n\n{}", failure.detail),
        ..failure
    }
}

fn not_verified(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let detail = format!(
        "Whether keys of {account} are in use cannot be verified, which needs {ACTION} on {account}. The roles Reader and \
         Monitoring Reader allow it.\n\n{}",
        report::explain(error, "")
    );
    Diagnostic::warning("Key usage cannot be verified", detail)
}
