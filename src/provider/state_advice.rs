//! Advice on objects in the state: how to rename, forget and destroy them.

/// A `moved` block for a resource of this type that was renamed.
pub(crate) fn moved_block(type_name: &str) -> String {
    format!("moved {{\n  from = {type_name}.OLD\n  to   = {type_name}.NEW\n}}")
}

/// A `removed` block that takes a resource of this type out of the state without a change in Azure.
pub(crate) fn removed_block(type_name: &str) -> String {
    format!("removed {{\n  from = {type_name}.NAME\n  lifecycle {{\n    destroy = false\n  }}\n}}")
}

/// How to take one of two resources of this type out of the state.
pub(crate) fn remove_from_state(type_name: &str) -> String {
    format!(
        "To take one out of the state without a change in Azure, replace its block with this one (for one instance of a block \
         with for_each run state rm ADDRESS instead):\n\n{}",
        removed_block(type_name)
    )
}

/// How to destroy where planning the configuration, which destroy does first, is an error.
pub(crate) const DESTROY_ALL: &str =
    "To destroy everything, run destroy with -refresh=false, which does not plan the configuration.";
