//! What a setting of the provider is: its attribute, the variables that stand for it, and what it may be.

use crate::framework::{
    Type,
    schema::{Attribute, Check},
};

/// A setting, which the provider block or the environment gives.
pub(super) struct Setting {
    /// Its attributes: all mean the same. Without any, only a variable can give it.
    pub(super) attributes: &'static [&'static str],
    /// The variables that stand for it. The first that is set counts.
    pub(super) variables: &'static [&'static str],
    /// What it may be.
    pub(super) shape: Shape,
    /// The setting that names a file with the value in it.
    pub(super) file: Option<&'static Setting>,
    /// What it is, in Markdown.
    pub(super) description: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A text that is not refused.
    Text(Check),
    /// A text that nobody may see, and that is not refused.
    Secret(Check),
    /// Yes or no.
    Flag,
}

impl Shape {
    /// What refuses texts.
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
    /// The attributes that give it, and those that name a file.
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

    /// The names that give it: its attributes, and its variables where it has no attribute; and those that name a file.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let own = if self.attributes.is_empty() { self.variables } else { self.attributes };
        own.iter().copied().chain(self.file.into_iter().flat_map(Setting::names)).collect()
    }

    /// How it is named where it is missing.
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
