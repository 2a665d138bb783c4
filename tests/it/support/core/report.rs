//! What a run came to, in the form in which tests look at it.

use std::fmt;

use serde_json::Value as Json;

/// A resource's type and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) type_name: String,
    pub(crate) name: String,
}

impl Address {
    pub(crate) fn new(type_name: impl Into<String>, name: impl Into<String>) -> Self {
        Self { type_name: type_name.into(), name: name.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

/// A message of the provider.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Diagnostic {
    pub(crate) is_error: bool,
    pub(crate) summary: String,
    pub(crate) detail: String,
    /// As HCL would reach it; empty for the whole block.
    pub(crate) path: String,
    /// The call that answered it, and for what.
    pub(crate) from: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_error { "Error" } else { "Warning" };
        write!(f, "{kind}: {} [{}; {}]\n{}", self.summary, self.path, self.from, self.detail)
    }
}

/// Messages in the order they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Diagnostics(pub(crate) Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.is_error)
    }

    /// The first error that has `text` in its summary, detail or path.
    #[track_caller]
    pub(crate) fn error(&self, text: &str) -> &Diagnostic {
        self.find(true, text).unwrap_or_else(|| panic!("no error says {text:?}:\n{self}"))
    }

    /// The first warning that has `text` in its summary, detail or path.
    #[track_caller]
    pub(crate) fn warning(&self, text: &str) -> &Diagnostic {
        self.find(false, text).unwrap_or_else(|| panic!("no warning says {text:?}:\n{self}"))
    }

    fn find(&self, is_error: bool, text: &str) -> Option<&Diagnostic> {
        let has = |diagnostic: &&Diagnostic| {
            [&diagnostic.summary, &diagnostic.detail, &diagnostic.path].iter().any(|part| part.contains(text))
        };
        self.0.iter().filter(|diagnostic| diagnostic.is_error == is_error).find(has)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(no diagnostics)");
        }
        self.0.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}\n"))
    }
}

/// What core does with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    /// Destroyed and created again, in the order that the resource asks for.
    Replace,
    NoOp,
    Delete,
    Import,
}

/// What became, or would become, of one object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) address: Address,
    /// `None` when planning failed.
    pub(crate) action: Option<Action>,
    /// The object as it was stored before this run; null if there was none.
    pub(crate) stored: Json,
    /// The object after the refresh; null if there is none.
    pub(crate) before: Json,
    /// The plan, with [`UNKNOWN`](super::UNKNOWN) in it.
    pub(crate) planned: Json,
    /// The object after the run. A plan leaves it null.
    pub(crate) after: Json,
    /// The attributes whose change makes this a replacement.
    pub(crate) requires_replace: Vec<String>,
    /// Whether the object was replaced because an earlier create had failed.
    pub(crate) was_tainted: bool,
}

impl Change {
    /// Whether the refresh found something else than was stored.
    pub(crate) fn drifted(&self) -> bool {
        self.stored != self.before
    }
}

/// The outcome of a plan or an apply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) diagnostics: Diagnostics,
    /// In the order of the resources given; what is destroyed comes last.
    pub(crate) changes: Vec<Change>,
}

impl Report {
    /// The report of a run without errors.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(!self.diagnostics.has_errors(), "the run failed:\n{}", self.diagnostics);
        self
    }

    /// The report of a run without errors and warnings.
    #[track_caller]
    pub(crate) fn quiet(self) -> Self {
        assert_eq!(self.diagnostics, Diagnostics::default(), "{}", self.diagnostics);
        self
    }

    /// The report of a run that failed.
    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert!(self.diagnostics.has_errors(), "the run did not fail: {:#?}", self.changes);
        self
    }

    /// The first error that has `text` in its summary, detail or path.
    #[track_caller]
    pub(crate) fn error(&self, text: &str) -> &Diagnostic {
        self.diagnostics.error(text)
    }

    /// The first warning that has `text` in its summary, detail or path.
    #[track_caller]
    pub(crate) fn warning(&self, text: &str) -> &Diagnostic {
        self.diagnostics.warning(text)
    }

    /// The one change of a run about one resource.
    #[track_caller]
    pub(crate) fn change(&self) -> &Change {
        match self.changes.as_slice() {
            [change] => change,
            changes => panic!("one change was expected, not {changes:#?}\n{}", self.diagnostics),
        }
    }

    /// The change of this resource.
    #[track_caller]
    pub(crate) fn change_of(&self, type_name: &str, name: &str) -> &Change {
        let address = Address::new(type_name, name);
        let change = self.changes.iter().find(|change| change.address == address);
        change.unwrap_or_else(|| panic!("{address} is not in {:#?}\n{}", self.changes, self.diagnostics))
    }

    /// What core does with the one resource of the run.
    #[track_caller]
    pub(crate) fn action(&self) -> Action {
        self.change().action.unwrap_or_else(|| panic!("there is no plan:\n{}", self.diagnostics))
    }

    /// Whether there is nothing to do and nothing has drifted, which is exit code 0 of a plan.
    pub(crate) fn is_empty(&self) -> bool {
        !self.diagnostics.has_errors()
            && self.changes.iter().all(|change| change.action == Some(Action::NoOp) && !change.drifted())
    }

    /// Fails the test unless there is nothing to do and nothing has drifted.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        assert!(self.is_empty(), "the plan is not empty: {:#?}\n{}", self.changes, self.diagnostics);
    }
}
