//! What a Terraform provider is, free of the protocol's encoding and of any service: values, schemas, the plan pipeline
//! and what each remote procedure means. It does no IO.

pub mod action;
pub mod any_resource;
mod attr;
pub mod contain;
pub mod context;
pub mod data_source;
pub mod diagnostics;
pub mod erased;
pub mod function;
pub mod json;
pub mod list_resource;
pub(crate) mod lock;
mod members;
pub mod number;
mod one_of;
pub mod path;
pub mod plan;
pub mod private;
pub mod registry;
pub mod resource;
pub mod schema;
pub mod server;
mod shown;
mod spelling;
pub mod structs;
pub mod timeouts;
pub mod types;
pub mod value;
pub mod walk;

pub use attr::Attr;
pub use diagnostics::{Diagnostic, Diagnostics, Summary};
pub(crate) use diagnostics::{Severity, anchor};
pub use number::Number;
pub(crate) use one_of::one_of;
pub use path::{Path, Step};
pub use private::Private;
pub use shown::shown;
pub use types::{Name, Type};
pub use value::Value;
