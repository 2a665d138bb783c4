//! The one integration-test binary. Each module is one concern; this map says where a test belongs.
//!
//! | Concern | Where |
//! | --- | --- |
//! | **The process** | |
//! | start, handshake, mutual TLS | `handshake` |
//! | life, log, panics and end of the process | `process` |
//! | `.proto` files against the tables in `tests/data` | `proto_files` |
//! | **Protocol and framework, with the provider of `tests/echo`** | |
//! | create, refresh, update, upgrade, move, import, replace, destroy | `echo::lifecycle` |
//! | values of every type, unknown values | `echo::values` |
//! | empty strings, equal spellings | `echo::spelling` |
//! | data sources, functions, lists, actions | `echo::kinds` |
//! | rpcs without a use, messages that cannot be decoded | `echo::bad_calls` |
//! | **The ARM client** | |
//! | sign-in, against a scripted server | `arm_auth` |
//! | sending: headers, retries, throttling, limits | `arm_send` |
//! | answers of any size and shape | `arm_answers` |
//! | lists without an end | `arm_pages` |
//! | the memory that large answers cost | `large_answers` |
//! | connections, names and proxies that fail | `arm_network` |
//! | typed calls: operations, pages, api-versions, joined reads | `arm_calls` |
//! | the same calls against the emulator | `arm_emulator` |
//! | **The emulator**, over HTTPS without the provider | `emulator`, whose `mod.rs` lists its files |
//! | **The provider**, over the protocol against the emulator | |
//! | provider block and environment | `provider_block` |
//! | sign-in methods and clouds, on real engines too | `sign_in` |
//! | `foundryhub_hub` | `hub` |
//! | `foundryhub_role_assignment` | `role_assignment` |
//! | `foundryhub_storage_auth` | `storage_auth` |
//! | data sources | `data_sources` |
//! | functions | `functions` |
//! | actions, a file for each | `actions` |
//! | list resources, a file for each | `list_resources` |
//! | ids that are none | `hostile_ids` |
//! | states and private data that somebody has edited | `tampered` |
//! | StopProvider during every kind of work | `interruptions` |
//! | answers that are lost | `lost_answers` |
//! | permissions and api-versions of everything, as pages say | `requirements` |
//! | **Real Terraform and OpenTofu**: what only they can show | `engines` |
//! | **What is released**: executable, packages, mirrors | `release` |
//! | what the released executable spends on objects | `frugal` |
//! | **The pipelines of `examples/pipelines`**, and the summary of drift | `pipelines` |
//! | **The repository** | |
//! | generated pages, the rules of all schemas | `docs` |
//! | commands that the documentation shows | `examples` |
//! | facts that are cited by section | `citations` |
//! | tests that reliability.md names | `reliability` |
//! | layers, circles and crates of the source | `tidy` |
//! | what holds a secret, and how it is shown | `secrets` |
//! | **What tests are made with** | `support` |
//!
//! In both folders of a resource, `lifecycle` has create, refresh, update and destroy, `empty` empty strings and other
//! spellings, `states` states of other releases and providers, `interrupted` what ends half-way without a clear answer,
//! `killed` what no state has, and `two_resources` several resources or objects for one thing in Azure. What is about
//! one of them alone:
//!
//! | Concern | `role_assignment` | `storage_auth` |
//! | --- | --- | --- |
//! | invalid input, and what Azure refuses | `refusals` | `lifecycle`, `failures` |
//! | what a plan shows | `plan_output` | `original` |
//! | what is found out only when a saved plan is applied | `saved_plan` | `original`, `deleted_hub` |
//! | replacement | `replace` | `lifecycle`, `destroy`, `two_resources` |
//! | destroying and restoring | `lifecycle` | `destroy`, `deleted_hub` |
//! | imports | `import` | `lifecycle` |
//! | lists in place of many reads | `arm_calls`, `lifecycle` | `many_hubs`, also of `hub` |
//! | what exists in Azure already, or was changed by others | `existing`, `changed_by_others`, `platform` | `lifecycle`, `deleted_hub` |
//! | custom roles | `custom_roles` | |
//! | the access check, a file for each gate, for the hub's identity, for other hubs and for permissions | | `access` |
//!
//! In `engines`, `role_assignment` and `storage_auth` are about one resource each, like the files whose names begin
//! with theirs: `_objects` has objects that are imported, moved, replaced or deposed, `_failures` applies and destroys
//! that fail. `shared_account` is about several hubs of one account, `hubs` about all hubs of a subscription,
//! `functions` about functions.
//! `two_resources` and `earlier_states` are about both resources; `echo` runs the provider of `tests/echo`; `demo`,
//! `examples`, `mistakes`, `empty`, `secrets` and `provider` are about the provider as a whole, `soak` has many objects
//! among faults and kills, and `runner` is about the runner of engines itself. `other_providers` has the states of
//! azurerm and azapi.
//!
//! A **bed** is the fixture of a test: an emulator with the hub `hub1` on the account `sa1`, and what the test drives
//! against it. `support::bed::Bed` drives the provider with the test core (`support::core`, a small Terraform core),
//! `engines::engine_bed::EngineBed` with a real engine, `provider_block::ConfigurationBed` with one provider block
//! after another, `sign_in::bed::SignInBed` with what each sign-in method is given; `arm_emulator::ClientBed` has the
//! ARM client alone. Tests of the emulator use
//! `emulator::client::Arm`, an emulator with an HTTP client, on which `Bed` is built. People and roles have their ids
//! in `support::ids`.

#[path = "../../examples/emulator/arm/mod.rs"]
#[expect(dead_code, reason = "some of the emulator is only there for its command line")]
mod azure;

mod actions;
mod arm_answers;
mod arm_auth;
mod arm_calls;
mod arm_emulator;
mod arm_network;
mod arm_pages;
mod arm_send;
mod citations;
mod data_sources;
mod docs;
mod echo;
mod emulator;
mod engines;
mod examples;
#[cfg(target_os = "linux")]
mod frugal;
mod functions;
mod handshake;
mod hostile_ids;
mod hub;
mod interruptions;
mod large_answers;
mod list_resources;
mod lost_answers;
mod pipelines;
mod process;
mod proto_files;
mod provider_block;
#[cfg(target_os = "linux")]
mod release;
mod reliability;
mod requirements;
mod role_assignment;
mod secrets;
mod sign_in;
mod storage_auth;
mod support;
mod tampered;
mod tidy;
