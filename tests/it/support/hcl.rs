//! Blocks of configuration for real engines, beside those of resources.

/// A `moved` block.
pub(crate) fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n")
}

/// A `removed` block that forgets an object without destroying it.
pub(crate) fn removed(from: &str) -> String {
    format!("removed {{\n  from = {from}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n")
}

/// An `import` block. `source` is the argument that names the object: `id = "…"` or `identity = { … }`.
pub(crate) fn import(to: &str, source: &str) -> String {
    format!("import {{\n  to = {to}\n  {source}\n}}\n")
}

/// An `import` block that names the object by its id.
pub(crate) fn import_by_id(to: &str, id: &str) -> String {
    import(to, &format!("id = {id:?}"))
}
