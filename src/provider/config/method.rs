//! The settings of a sign-in method, and the choice of one method.

use super::{
    lookup::{Lookup, NotKnown, Origin},
    setting::Setting,
};
use crate::{arm::auth::TokenSource, framework::Diagnostic};
use std::sync::Arc;

/// A sign-in method: the settings that select it, those that it needs, and how its token source is made of them.
pub(super) struct Method {
    /// What it signs in with, as a noun without an article.
    pub(super) name: &'static str,
    /// The page about it in docs/guides.
    pub(super) guide: &'static str,
    /// Selects the method when on, and rules it out when off.
    pub(super) switch: Option<&'static Setting>,
    /// Whether it is selected as long as its switch is not off.
    pub(super) by_default: bool,
    /// Settings that alone select this method. Not variables that CI sets, nor `tenant_id` and `client_id`, which several
    /// methods share.
    pub(super) selected_by: &'static [&'static Setting],
    /// How a pipeline comes by those of its needs that nobody sets by hand.
    pub(super) supplied: Option<&'static str>,
    /// The settings that it needs.
    pub(super) needs: &'static [&'static Setting],
    /// The settings that it uses if they are there.
    pub(super) takes: &'static [&'static Setting],
    /// Makes the token source of the settings, once everything needed is there.
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

/// Makes a token source of the settings.
pub(super) type MakeSource = fn(&mut Lookup<'_>) -> Result<Arc<dyn TokenSource>, NotKnown>;

/// Whether a method can be used, and which settings select it.
enum Standing {
    /// Not selected, or switched off, and the text that says by which setting.
    Idle(String),
    /// Selected, and these settings are missing.
    Incomplete(Vec<Origin>, Vec<&'static Setting>),
    /// A value that decides it is not known yet.
    Undecided(Vec<Origin>),
    /// Selected, and nothing is missing.
    Complete(Vec<Origin>),
}

impl Standing {
    /// Whether the method can be used, now or once all values are known.
    fn is_possible(&self) -> bool {
        matches!(self, Self::Undecided(_) | Self::Complete(_))
    }

    /// Whether a setting selects it, rather than that it is selected by default.
    fn is_selected_by_a_setting(&self) -> bool {
        matches!(self, Self::Complete(by) if !by.is_empty())
    }
}

impl Method {
    /// All settings that it reads.
    pub(super) fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.switch.into_iter().chain([self.selected_by, self.needs, self.takes].into_iter().flatten().copied())
    }

    /// The settings of which each selects it.
    fn selectors(&self) -> Vec<&'static Setting> {
        self.switch.into_iter().chain(self.selected_by.iter().copied()).collect()
    }

    /// What the documentation says of it.
    pub(super) fn doc(&self) -> MethodDoc {
        let names = |settings: &[&'static Setting]| settings.iter().map(|setting| setting.names()).collect();
        MethodDoc {
            name: self.name,
            guide: self.guide,
            by_default: self.by_default,
            asked_for_by: names(&self.selectors()),
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
        let selectors = self.selectors();
        let selected_by: Vec<_> = selectors.iter().filter_map(|setting| lookup.origin(setting)).collect();
        if selected_by.is_empty() && !self.by_default {
            return Standing::Idle(format!("{} is not set", selectors.first().map_or_else(String::new, |s| s.title())));
        }
        let missing: Vec<_> = self.needs.iter().copied().filter(|need| lookup.is_set(need) == Ok(false)).collect();
        if !missing.is_empty() {
            return Standing::Incomplete(selected_by, missing);
        }
        let undecided = selectors.iter().any(|setting| lookup.is_set(setting).is_err());
        if undecided { Standing::Undecided(selected_by) } else { Standing::Complete(selected_by) }
    }
}

/// Chooses the first of these methods that is complete; `None` when there is none, for which there is a diagnostic then.
///
/// A method that is selected and incomplete is an error, even if another is complete, which may act as somebody else.
///
/// # Errors
/// When the choice depends on a value that is not known yet.
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
            let others = others.iter().filter(|(_, standing)| standing.is_selected_by_a_setting());
            let passed_over: Vec<_> = others.map(|(method, _)| method.name).collect();
            tracing::info!(method = method.name, ?by, ?passed_over, "the sign-in method is chosen");
            (method.source)(lookup).map(Some)
        }
        Some(_) => Err(NotKnown),
        None => {
            let detail = format!("{}\n\nComplete one of them.", describe(&standings));
            lookup.push(Diagnostic::error("No sign-in method is configured", detail));
            Ok(None)
        }
    }
}

/// The error about the first method that is selected and incomplete. If one setting selects several methods, one complete
/// method is enough.
fn incomplete(standings: &[(&Method, Standing)]) -> Option<Diagnostic> {
    let possible = |by: &Origin| {
        standings.iter().any(|(_, standing)| match standing {
            Standing::Undecided(asking) | Standing::Complete(asking) => asking.contains(by),
            _ => false,
        })
    };
    let incomplete = standings.iter().filter_map(|(method, standing)| match standing {
        Standing::Incomplete(asking, missing) if !asking.iter().any(possible) => {
            Some((method.name, asking.first()?, method.needs.len() - missing.len()))
        }
        _ => None,
    });
    let (_, first, _) = incomplete.clone().next()?;
    // Of those that the same setting asks for, the one of which most is there is likely meant.
    let (name, by, _) = incomplete.rev().filter(|(_, by, _)| *by == first).max_by_key(|(_, _, has)| *has)?;
    let detail = format!(
        "{} asks for a sign-in by {name}, and something that it needs is missing. No other method is taken instead, since \
         that may be to act as somebody else.\n\n{}\n\nSet what is missing, or unset what asks for it.",
        by.name(),
        describe(standings)
    );
    Some(Diagnostic::error("The sign-in method is incomplete", detail).at(by.path()))
}

/// A list of all methods in their order, with what each lacks.
fn describe(standings: &[(&Method, Standing)]) -> String {
    let mut text = "The sign-in methods, in the order in which they are looked at:".to_owned();
    for (method, standing) in standings {
        let what = match standing {
            Standing::Idle(why) => why.clone(),
            Standing::Incomplete(_, missing) => {
                let missing: Vec<_> = missing.iter().map(|setting| setting.title()).collect();
                let how = method.supplied.map(|how| format!("; {how}")).unwrap_or_default();
                format!("lacks {}{how}", missing.join(" and "))
            }
            Standing::Undecided(_) => "depends on values that are not known yet".to_owned(),
            Standing::Complete(_) => "complete".to_owned(),
        };
        text.push_str(&format!("\n- {}: {what}", method.name));
    }
    text
}
