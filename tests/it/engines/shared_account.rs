//! Several hubs of one account in one `for_each`: whether an apply passes must not depend on which hub comes first.

use serde_json::json;

use crate::support::engine::for_each_engine;

use super::engine_bed::{EngineBed, KEYLESS};

/// The arguments of an apply that does one thing at a time.
const ONE_AT_A_TIME: &[&str] = &["-parallelism=1"];

/// Which of the hubs take the keys away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// The one with this number.
    Of(usize),
    /// All.
    All,
}

impl EngineBed {
    /// A configuration with so many hubs on the bed's account, in one `for_each`, and the ids of the hubs.
    fn shared(&self, hubs: usize, keys: Keys, check: &str) -> (String, Vec<String>) {
        let others = (2..=hubs).map(|n| self.another_hub(&format!("hub{n}")));
        let ids: Vec<String> = std::iter::once(self.hub.clone()).chain(others).collect();
        let keys = match keys {
            Keys::Of(hub) => format!("each.key == {:?} ? false : null", ids[hub - 1]),
            Keys::All => "false".to_owned(),
        };
        let config = format!(
            "resource \"foundryhub_storage_auth\" \"hub\" {{\n  \
               for_each                  = toset({})\n  \
               hub_id                    = each.key\n  \
               shared_access_key_enabled = {keys}\n  \
               access_check              = {check:?}\n\
             }}\n",
            json!(ids)
        );
        (config, ids)
    }

    fn modes(&self, hubs: &[String]) -> Vec<String> {
        hubs.iter().map(|hub| self.mode_of(hub).to_lowercase()).collect()
    }
}

#[tokio::test]
async fn with_enforce_all_hubs_of_a_for_each_are_switched_in_one_apply() {
    for_each_engine(async |engine| {
        for (hubs, keys) in [(2, Keys::Of(1)), (2, Keys::Of(2)), (2, Keys::All), (4, Keys::Of(1)), (4, Keys::All)] {
            let bed = EngineBed::new().await;
            let (config, ids) = bed.shared(hubs, keys, "enforce");
            let workspace = bed.workspace(engine, &config);
            let applied = workspace.apply(&[]).await.succeeded();
            assert!(!applied.to_string().contains("Other workspaces"), "{hubs} {keys:?}: {applied}");
            assert_eq!(bed.settings(), KEYLESS, "{hubs} {keys:?}");
            assert_eq!(bed.modes(&ids), vec!["identity"; hubs], "{hubs} {keys:?}");
            // Keys go off when the last hub is on identity, and not before.
            let writes = bed.writes();
            let first = writes.iter().position(|write| write == "PATCH sa1 false").unwrap();
            assert_eq!(first, hubs, "{keys:?}: {writes:?}");
            workspace.plan(&[]).await.exits(0);
            workspace.destroy(&[]).await.succeeded();
            assert_eq!(bed.modes(&ids), vec!["accesskey"; hubs], "{hubs} {keys:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_enforce_an_apply_stops_where_the_engine_does_not_start_all_hubs_at_once() {
    for_each_engine(async |engine| {
        for (hubs, keys) in [(2, Keys::All), (4, Keys::All), (3, Keys::Of(1))] {
            let bed = EngineBed::new().await;
            let (config, ids) = bed.shared(hubs, keys, "enforce");
            let workspace = bed.workspace(engine, &config);
            let applied = workspace.apply(ONE_AT_A_TIME).await;
            let done = bed.modes(&ids).iter().filter(|mode| *mode == "identity").count();
            let writes = bed.writes();
            // An engine starts them in an order of its own, in which the hub that turns keys off may be the last.
            if keys != Keys::All && done == hubs {
                applied.succeeded();
                continue;
            }
            let applied = applied.exits(1).says("Other workspaces use the keys").says("-parallelism=");
            assert!(!applied.to_string().contains("depends_on"), "{applied}");
            assert_eq!(bed.modes(&ids[..1]), ["accesskey"], "{keys:?}");
            assert_eq!(writes.len(), if keys == Keys::All { 0 } else { hubs - 1 }, "{keys:?}: {writes:?}");
            assert!(bed.settings().1, "{keys:?}");
            // The -parallelism that the error names is enough.
            workspace.apply(&[&format!("-parallelism={hubs}")]).await.succeeded();
            assert_eq!(bed.settings(), KEYLESS);
        }
    })
    .await;
}

#[tokio::test]
async fn with_warn_an_apply_warns_where_the_engine_does_not_start_all_hubs_at_once() {
    for_each_engine(async |engine| {
        for keys in [Keys::All, Keys::Of(1)] {
            for arguments in [&[][..], ONE_AT_A_TIME] {
                let bed = EngineBed::new().await;
                let (config, ids) = bed.shared(3, keys, "warn");
                let workspace = bed.workspace(engine, &config);
                let applied = workspace.apply(arguments).await.succeeded();
                let warned = applied.to_string().contains("Other workspaces use the keys");
                if arguments.is_empty() || keys == Keys::All {
                    assert_eq!(warned, !arguments.is_empty(), "{keys:?}: {applied}");
                }
                assert_eq!(bed.settings(), KEYLESS, "{keys:?}");
                assert_eq!(bed.modes(&ids), ["identity"; 3], "{keys:?}");
                workspace.plan(&[]).await.exits(0);
            }
        }
    })
    .await;
}
