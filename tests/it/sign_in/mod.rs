//! Signing in to the emulator by every method: what is set for it, in the block or in the environment alone, and which
//! method the requests show.
//!
//! | Concern | Where |
//! | --- | --- |
//! | every method, also on real engines; which of several is taken | `methods` |
//! | the Azure CLI and its accounts | `azure_cli` |
//! | what goes wrong, and what is said of it | `failures` |
//! | clouds, audiences, other tenants, proxies | `cloud` |
//! | runs that are longer than tokens and assertions live | `token_expiry` |
//! | what may be written nowhere | `secrets` |
//! | what pipelines set in the environment | `pipelines` |
//! | the settings of azurerm and azapi | `azurerm_and_azapi` |
//! | the pages about signing in | `guides` |

mod azure_cli;
mod azurerm_and_azapi;
mod bed;
mod cloud;
mod failures;
mod guides;
mod methods;
mod pipelines;
mod secrets;
mod token_expiry;
