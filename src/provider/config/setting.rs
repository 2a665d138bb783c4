//! A setting of the provider: its attribute, its environment variables, and its type and check.

use crate::framework::{
    Type,
    schema::{Attribute, Check},
};

/// A setting of the provider block or the environment.
pub(super) struct Setting {
    /// Its attributes: all mean the same. Without any, only a variable can set it.
    pub(super) attributes: &'static [&'static str],
    /// Its environment variables. The first that is set counts.
    pub(super) variables: &'static [&'static str],
    /// Its type and check.
    pub(super) shape: Shape,
    /// The setting for the path of a file that has the value.
    pub(super) file: Option<&'static Setting>,
    /// The description for the documentation, in Markdown.
    pub(super) description: &'static str,
}

/// The type of a setting, and what checks it.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A text that passes the check.
    Text(Check),
    /// A sensitive text that passes the check.
    Secret(Check),
    /// `true` or `false`.
    Flag,
}

impl Shape {
    /// The check of texts.
    pub(super) fn check(self) -> Option<Check> {
        match self {
            Self::Text(check) | Self::Secret(check) => Some(check),
            Self::Flag => None,
        }
    }
}

/// A setting of a shape, with its attributes, its variables and its description, to which the variables are added.
macro_rules! setting {
    ($shape:expr, [$($attribute:literal),*], [$variable:literal $(, $more:literal)*], $description:literal) => {
        Setting {
            attributes: &[$($attribute),*],
            variables: &[$variable $(, $more)*],
            shape: $shape,
            file: None,
            description: concat!($description, " Also `", $variable, "`" $(, ", `", $more, "`")*, "."),
        }
    };
}
pub(super) use setting;

impl Setting {
    /// Its attributes and those of its file.
    pub(super) fn schema(&self) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        for (index, name) in self.attributes.iter().enumerate() {
            let ty = if matches!(self.shape, Shape::Flag) { Type::Bool } else { Type::String };
            let description = if index == 0 { self.description } else { "Another name of the attribute before it." };
            let mut attribute = Attribute::optional(name, ty, description);
            attribute.check = self.shape.check();
            attribute.sensitive = matches!(self.shape, Shape::Secret(_));
            attributes.push(attribute);
        }
        attributes.extend(self.file.into_iter().flat_map(Setting::schema));
        attributes
    }

    /// The names of its attributes, or of its variables where it has no attribute; and those of its file.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let own = if self.attributes.is_empty() { self.variables } else { self.attributes };
        own.iter().copied().chain(self.file.into_iter().flat_map(Setting::names)).collect()
    }

    /// How messages name it where it is missing.
    pub(super) fn title(&self) -> String {
        let own = match (self.attributes.first(), self.variables.first()) {
            (Some(attribute), Some(variable)) => format!("{attribute} ({variable})"),
            (Some(name), None) | (None, Some(name)) => (*name).to_owned(),
            (None, None) => String::new(),
        };
        match self.file {
            Some(file) => format!("{own} or {}", file.title()),
            None => own,
        }
    }
}
