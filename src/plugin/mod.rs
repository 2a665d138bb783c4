//! The plugin's side of go-plugin: how an engine starts this process, talks to it and ends it. Knows nothing of
//! Terraform beyond the values it is given.

mod generated;
