//! Attribute paths.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into an attribute or block of an object.
    Attribute(String),
    /// Into an element of a list, counted from zero.
    Index(i64),
    /// Into an element of a map.
    Key(String),
}

impl Step {
    /// The step to the element at this position.
    pub(crate) fn index(index: usize) -> Self {
        Self::Index(i64::try_from(index).unwrap_or(i64::MAX))
    }
}

/// The path of a value in a configuration, plan or state. It ends at a set: elements of sets cannot be addressed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path of an attribute or block at the root.
    pub fn root(name: impl Into<String>) -> Self {
        Self::default().attribute(name)
    }

    /// This path and one step into an attribute or block.
    pub fn attribute(mut self, name: impl Into<String>) -> Self {
        self.0.push(Step::Attribute(name.into()));
        self
    }

    /// This path and one step into a list.
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::index(index));
        self
    }

    /// This path and one step into a map.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Step::Key(key.into()));
        self
    }
}

/// As in HCL: `a.b[0]["c"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
