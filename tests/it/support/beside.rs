//! Cases of another provider that changes hub or account after our plan: while the plan waits for its apply, or in the same
//! apply, by a resource that ours depends on.

use serde_json::{Value, json};

use super::{
    bed::Bed,
    core::{Action, resource},
};
use crate::emulator::client::Arm;

/// What another provider changes.
#[derive(Clone, Copy)]
pub(crate) enum Other {
    /// Whether the account allows shared keys.
    Keys(bool),
    Mode(&'static str),
}

impl Other {
    fn write(self, arm: &Arm, hub: &str) {
        match self {
            Self::Keys(keys) => arm.emulator.set_shared_key_access(&arm.account, Some(keys)),
            Self::Mode(mode) => arm.emulator.set_mode(hub, mode),
        }
    }
}

/// What our plan does. A configuration has what is beside [`Fixture::base`].
pub(crate) enum Step {
    Apply(Value),
    Replace(Value),
    Destroy,
}

pub(crate) fn nothing() -> Value {
    json!({})
}

pub(crate) fn keys(enabled: bool) -> Value {
    json!({ "shared_access_key_enabled": enabled })
}

pub(crate) fn mode(mode: &str) -> Value {
    json!({ "system_datastores_auth_mode": mode })
}

pub(crate) fn both(mode: &str, enabled: bool) -> Value {
    json!({ "system_datastores_auth_mode": mode, "shared_access_key_enabled": enabled })
}

/// A bed, the least configuration, and the hub that it is about.
pub(crate) struct Fixture {
    pub(crate) bed: Bed,
    pub(crate) base: Value,
    pub(crate) hub: String,
}

impl Fixture {
    fn config(&self, more: &Value) -> Value {
        let mut config = self.base.clone();
        for (name, value) in more.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        config
    }

    /// The hub's mode, empty where there is no hub, and whether its account allows shared keys.
    fn settings(&self) -> (String, bool) {
        let mode = self.bed.emulator.resource(&self.hub).map(|hub| {
            let mode = hub["properties"]["systemDatastoresAuthMode"].as_str().unwrap_or_default().to_lowercase();
            if mode.is_empty() { "accesskey".to_owned() } else { mode }
        });
        let account = self.bed.emulator.resource(&self.bed.account).expect("the account");
        (mode.unwrap_or_default(), account["properties"]["allowSharedKeyAccess"] != false)
    }

    /// Whether Azure has what the configuration sets, where a mode that is left out means identity.
    fn is_as(&self, config: &Value) -> bool {
        let (mode, keys) = self.settings();
        let wanted = config["system_datastores_auth_mode"].as_str().unwrap_or("identity");
        mode == wanted && config["shared_access_key_enabled"].as_bool().is_none_or(|wanted| wanted == keys)
    }
}

/// A plan, what another provider does meanwhile, and what comes of the apply.
pub(crate) struct Case {
    what: &'static str,
    /// Mode and keys at first. A hub that is only made by us has no mode then.
    at_first: (&'static str, bool),
    /// What we have applied before the plan; null for nothing.
    before: Value,
    step: Step,
    other: Other,
    /// What is sent, or of the error that comes before anything is sent: the property, its value in the plan and now.
    sends: Result<&'static [&'static str], [&'static str; 3]>,
    /// Mode and keys after the apply.
    leaves: (&'static str, bool),
    original: Option<Value>,
    warning: Option<&'static str>,
}

pub(crate) fn case(
    what: &'static str,
    at_first: (&'static str, bool),
    before: Value,
    step: Step,
    other: Other,
) -> Case {
    let leaves = ("", true);
    Case { what, at_first, before, step, other, sends: Ok(&[]), leaves, original: None, warning: None }
}

impl Case {
    /// The apply succeeds: it sends this, and leaves this mode and these keys.
    pub(crate) fn sends(mut self, writes: &'static [&'static str], leaves: (&'static str, bool)) -> Self {
        (self.sends, self.leaves) = (Ok(writes), leaves);
        self
    }

    /// The apply ends with our error that names the property, its value in the plan and its value now, and sends nothing.
    pub(crate) fn stops(mut self, property: &'static str, was: &'static str, is: &'static str) -> Self {
        self.sends = Err([property, was, is]);
        self
    }

    /// What destroying restores afterwards.
    pub(crate) fn restores(mut self, mode: Option<&str>, keys: Option<bool>) -> Self {
        self.original = Some(json!({ "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys }));
        self
    }

    /// With this warning.
    pub(crate) fn warns(mut self, summary: &'static str) -> Self {
        self.warning = Some(summary);
        self
    }

    async fn check(&self, mut fixture: Fixture, in_one_apply: bool) {
        let what = format!("{}, {}", self.what, if in_one_apply { "in one apply" } else { "between plan and apply" });
        let (mode, keys) = self.at_first;
        if fixture.bed.emulator.resource(&fixture.hub).is_some() {
            fixture.bed.emulator.set_mode(&fixture.hub, mode);
        }
        fixture.bed.emulator.set_shared_key_access(&fixture.bed.account, Some(keys));
        if !self.before.is_null() {
            let before = fixture.config(&self.before);
            fixture.bed.apply(&before).await.ok();
        }
        let config = fixture.config(match &self.step {
            Step::Apply(config) | Step::Replace(config) => config,
            Step::Destroy => &Value::Null,
        });
        let Fixture { bed, hub, .. } = &mut fixture;
        let planned = match &self.step {
            Step::Apply(_) => bed.plan(&config).await,
            Step::Replace(_) => bed.core.plan_all(vec![resource(bed.type_name, "a", config.clone()).replaced()]).await,
            Step::Destroy => bed.core.plan_all(Vec::new()).await,
        };
        let (planned, before) = (planned.ok(), bed.state());
        bed.emulator.clear_requests();
        if in_one_apply {
            let (arm, hub, other) = (bed.arm.clone(), hub.clone(), self.other);
            bed.core.apply_before(bed.type_name, "a", async move { other.write(&arm, &hub) });
        } else {
            self.other.write(&bed.arm, hub);
        }
        let report = bed.core.apply_saved(planned).await;
        assert!(!report.diagnostics.0.iter().any(|found| found.from == "core"), "{what}: {}", report.diagnostics);
        match self.sends {
            Ok(writes) => {
                let report = report.ok();
                assert_eq!(bed.writes(), writes, "{what}");
                if let Some(summary) = self.warning {
                    report.warning(summary);
                }
                assert_eq!(fixture.settings(), (self.leaves.0.to_owned(), self.leaves.1), "{what}");
            }
            Err([property, was, is]) => {
                let report = report.failed();
                let error = report.error("Azure has changed since the plan");
                let now = format!("is {is} now");
                for text in [property, was, &now, "nothing was changed. Plan again", "ignore_changes"] {
                    assert!(error.detail.contains(text), "{what}: {text}: {error}");
                }
                assert_eq!((bed.writes(), bed.state()), (vec![], before), "{what}");
            }
        }
        let Fixture { bed, .. } = &mut fixture;
        if let Some(original) = &self.original {
            assert_eq!(bed.state()["original"], *original, "{what}");
        }
        match self.step {
            Step::Destroy => assert_eq!(bed.state(), Value::Null, "{what}"),
            _ => Self::assert_converges(&what, fixture, &config, self.before.is_null()).await,
        }
    }

    /// The next plan shows what is not as configured, its apply makes it so, and then there is nothing to do.
    async fn assert_converges(what: &str, mut fixture: Fixture, config: &Value, created: bool) {
        let is_configured = fixture.is_as(config);
        if created {
            let keys = fixture.settings().1;
            assert_eq!(fixture.bed.state()["shared_access_key_enabled"], keys, "{what}");
        }
        let planned = fixture.bed.plan(config).await.ok();
        assert_eq!(planned.action() == Action::NoOp, is_configured, "{what}: {:#?}", planned.change());
        fixture.bed.core.apply_saved(planned).await.ok();
        assert!(fixture.is_as(config), "{what}");
        fixture.bed.plan(config).await.ok().assert_empty();
    }
}

/// Checks every case for a change between plan and apply, and for one in the same apply. What is destroyed depends on nothing.
pub(crate) async fn check(fixture: impl AsyncFn() -> Fixture, cases: impl IntoIterator<Item = Case>) {
    for case in cases {
        case.check(fixture().await, false).await;
        if !matches!(case.step, Step::Destroy) {
            case.check(fixture().await, true).await;
        }
    }
}
