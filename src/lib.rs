//! foundryhub: a Terraform and OpenTofu provider that moves Azure AI Foundry hubs from shared keys to Microsoft Entra
//! authorization of their storage account, and keeps them there.

pub mod arm;
pub mod framework;
pub mod plugin;
pub mod provider;
pub mod wire;
