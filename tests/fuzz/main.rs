//! Fuzzing: what the provider reads of others, held to rules that every input has to keep.
//!
//! Each target is a file with a function `check`, which panics when an input breaks a rule, and has a folder in `corpus`.
//! `cargo test --example fuzz` checks the corpus and, for some seconds, changes of it. `tests/fuzz/run` (`make fuzz`) builds
//! this same file with libFuzzer, which is guided by coverage, and adds what it learns to the corpus.
//!
//! | Target | What is read |
//! | --- | --- |
//! | `errors` | error answers of Azure Resource Manager |
//! | `ids` | resource ids, and the names in them |
//! | `msgpack` | values that engines send |
//! | `operations` | the headers and bodies that a long-running operation is followed by, and waits |
//! | `sign_in` | answers of Microsoft Entra, of OIDC issuers and of managed identities |
//! | `state` | stored objects, and values in JSON |

#![cfg_attr(libfuzzer, no_main)]

mod answer;
#[cfg(test)]
mod corpus;
mod errors;
mod ids;
mod msgpack;
mod operations;
mod sign_in;
mod state;
mod typed;

macro_rules! targets {
    ($($target:ident),*) => {
        /// The check of each target, by its name.
        #[cfg(not(test))]
        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($target), $target::check)),*];

        $(
            #[cfg(test)]
            #[test]
            fn $target() {
                corpus::check(stringify!($target), $target::check);
            }
        )*
    };
}

targets!(errors, ids, msgpack, operations, sign_in, state);

/// The check of the target that `FUZZ_TARGET` names.
#[cfg(not(test))]
static CHECK: std::sync::LazyLock<fn(&[u8])> = std::sync::LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    TARGETS.iter().find(|(name, _)| *name == wanted).expect("there is such a target").1
});

#[cfg(libfuzzer)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| CHECK(input));

/// Checks the files that are named, as libFuzzer does.
#[cfg(not(any(libfuzzer, test)))]
fn main() -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| std::fs::read(file).map(|input| CHECK(&input)))
}
