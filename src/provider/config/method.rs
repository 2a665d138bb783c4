//! What a sign-in method is, and which of several is meant.

use super::{
    lookup::{Lookup, NotKnown, Origin},
    setting::Setting,
};
use crate::{arm::auth::TokenSource, framework::Diagnostic};
use std::sync::Arc;

/// A sign-in method: what asks for it, what it needs, and what gives tokens then.
pub(super) struct Method {
    /// What it signs in with, as a noun without an article.
    pub(super) name: &'static str,
    /// The page about it in docs/guides.
    pub(super) guide: &'static str,
    /// Asks for it when on, and rules it out when off.
    pub(super) switch: Option<&'static Setting>,
    /// Whether it is asked for as long as its switch is not off.
    pub(super) by_default: bool,
    /// Its own secrets, certificates and tokens, each of which asks for it too. What a runner of pipelines sets by itself
    /// is no choice of anybody, and who is to sign in to which tenant says nothing about how.
    pub(super) own: &'static [&'static Setting],
    /// What it cannot do without.
    pub(super) needs: &'static [&'static Setting],
    /// What it takes if it is there.
    pub(super) takes: &'static [&'static Setting],
    /// Makes of the settings what gives tokens, once everything needed is there.
    pub(super) source: MakeSource,
}

/// What the documentation says of a sign-in method.
#[derive(Clone, Debug)]
pub struct MethodDoc {
    /// What it signs in with, as a noun without an article.
    pub name: &'static str,
    /// The page about it in `docs/guides`, without the ending.
    pub guide: &'static str,
    /// Whether it is asked for as long as nothing rules it out.
    pub by_default: bool,
    /// The settings that ask for it, each by the names that can give it.
    pub asked_for_by: Vec<Vec<&'static str>>,
    /// The settings that it needs.
    pub needs: Vec<Vec<&'static str>>,
    /// The settings that it takes if they are there.
    pub takes: Vec<Vec<&'static str>>,
}

/// Makes of the settings what gives tokens.
pub(super) type MakeSource = fn(&mut Lookup<'_>) -> Result<Arc<dyn TokenSource>, NotKnown>;

/// How far a method is from being taken, and what asks for it.
enum Standing {
    /// Nothing asks for it, or it is off: which setting that is, in words.
    Idle(String),
    /// These settings are missing.
    Incomplete(Vec<Origin>, Vec<&'static Setting>),
    /// Whether it is asked for, or with what, is not known yet.
    Undecided(Vec<Origin>),
    /// Nothing is missing.
    Complete(Vec<Origin>),
}

impl Standing {
    /// Whether the method can be taken, now or when all is known.
    fn is_possible(&self) -> bool {
        matches!(self, Self::Undecided(_) | Self::Complete(_))
    }

    /// Whether something asks for it, rather than nothing ruling it out.
    fn is_asked_for(&self) -> bool {
        matches!(self, Self::Complete(by) if !by.is_empty())
    }
}

impl Method {
    /// The settings that have to do with it.
    pub(super) fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.switch.into_iter().chain([self.own, self.needs, self.takes].into_iter().flatten().copied())
    }

    /// What the documentation says of it.
    pub(super) fn doc(&self) -> MethodDoc {
        let names = |settings: &[&'static Setting]| settings.iter().map(|setting| setting.names()).collect();
        let can_ask: Vec<_> = self.switch.into_iter().chain(self.own.iter().copied()).collect();
        MethodDoc {
            name: self.name,
            guide: self.guide,
            by_default: self.by_default,
            asked_for_by: names(&can_ask),
            needs: names(self.needs),
            takes: names(self.takes),
        }
    }

    fn standing(&self, lookup: &mut Lookup<'_>) -> Standing {
        match self.switch.map(|switch| (switch, lookup.flag(switch))) {
            Some((switch, Ok(Some(false)))) => return Standing::Idle(format!("{} is off", switch.title())),
            Some((_, Err(NotKnown))) => return Standing::Undecided(Vec::new()),
            _ => {}
        }
        let can_ask: Vec<_> = self.switch.into_iter().chain(self.own.iter().copied()).collect();
        let asking: Vec<_> = can_ask.iter().filter_map(|setting| lookup.origin(setting)).collect();
        if asking.is_empty() && !self.by_default {
            return Standing::Idle(format!("{} is not set", can_ask.first().map_or_else(String::new, |s| s.title())));
        }
        let missing: Vec<_> = self.needs.iter().copied().filter(|need| lookup.is_set(need) == Ok(false)).collect();
        if !missing.is_empty() {
            return Standing::Incomplete(asking, missing);
        }
        let undecided = can_ask.iter().any(|setting| lookup.is_set(setting).is_err());
        if undecided { Standing::Undecided(asking) } else { Standing::Complete(asking) }
    }
}

/// Takes the first of these methods that is complete; `None` when there is none, which has been said then.
///
/// A method that is asked for and incomplete is an error, whatever else could be taken: another one may be somebody else.
///
/// # Errors
/// When it depends on what is not known yet.
pub(super) fn choose(
    methods: &'static [Method],
    lookup: &mut Lookup<'_>,
) -> Result<Option<Arc<dyn TokenSource>>, NotKnown> {
    let standings: Vec<_> = methods.iter().map(|method| (method, method.standing(lookup))).collect();
    if let Some(error) = incomplete(&standings) {
        lookup.push(error);
        return Ok(None);
    }
    let possible: Vec<_> = standings.iter().filter(|(_, standing)| standing.is_possible()).collect();
    match possible.split_first() {
        Some(((method, Standing::Complete(by)), others)) => {
            let by: Vec<_> = by.iter().map(|by| by.name()).collect();
            let others = others.iter().filter(|(_, standing)| standing.is_asked_for());
            let passed_over: Vec<_> = others.map(|(method, _)| method.name).collect();
            tracing::info!(method = method.name, ?by, ?passed_over, "the sign-in method is chosen");
            (method.source)(lookup).map(Some)
        }
        Some(_) => Err(NotKnown),
        None => {
            let detail = format!("{}\n\nComplete one of them.", all(&standings));
            lookup.push(Diagnostic::error("No sign-in method is configured", detail));
            Ok(None)
        }
    }
}

/// The error about the first method that is asked for and incomplete. Methods that one setting asks for stand for each
/// other: that setting asks for no more than one of them.
fn incomplete(standings: &[(&Method, Standing)]) -> Option<Diagnostic> {
    let possible = |by: &Origin| {
        standings.iter().any(|(_, standing)| match standing {
            Standing::Undecided(asking) | Standing::Complete(asking) => asking.contains(by),
            _ => false,
        })
    };
    let (name, by) = standings.iter().find_map(|(method, standing)| match standing {
        Standing::Incomplete(asking, _) if !asking.iter().any(possible) => Some((method.name, asking.first()?)),
        _ => None,
    })?;
    let detail = format!(
        "{} asks for a sign-in by {name}, and something that it needs is missing. No other method is taken instead, since \
         that may be to act as somebody else.\n\n{}\n\nSet what is missing, or unset what asks for it.",
        by.name(),
        all(standings)
    );
    Some(Diagnostic::error(format!("Incomplete sign-in by {name}"), detail).at(by.path()))
}

/// Every method, in their order, and what it lacks.
fn all(standings: &[(&Method, Standing)]) -> String {
    let mut text = "The sign-in methods, in the order in which they are looked at:".to_owned();
    for (method, standing) in standings {
        let what = match standing {
            Standing::Idle(why) => why.clone(),
            Standing::Incomplete(_, missing) => {
                let missing: Vec<_> = missing.iter().map(|setting| setting.title()).collect();
                format!("lacks {}", missing.join(" and "))
            }
            Standing::Undecided(_) => "depends on values that are not known yet".to_owned(),
            Standing::Complete(_) => "complete".to_owned(),
        };
        text.push_str(&format!("\n- {}: {what}", method.name));
    }
    text
}
