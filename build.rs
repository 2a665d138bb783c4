//! Generates the gRPC code of `proto/`: `OUT_DIR/server` for the crate, `OUT_DIR/client` for the tests that play the
//! engine. protox compiles the files itself, so building needs no protoc.

use std::{env, ffi::OsStr, fs, io, path::PathBuf};

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=proto");
    expect_no_jitter_entropy();
    let mut files = fs::read_dir("proto")?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| path.extension() == Some(OsStr::new("proto")));
    files.sort();
    let descriptors = protox::compile(files, ["proto"])?;

    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| anyhow::anyhow!("OUT_DIR is not set"))?);
    for side in ["server", "client"] {
        let folder = out_dir.join(side);
        fs::create_dir_all(&folder)?;
        tonic_prost_build::configure()
            .build_server(side == "server")
            .build_client(side == "client")
            .build_transport(false)
            .out_dir(folder)
            .compile_fds(descriptors.clone())?;
    }
    Ok(())
}

/// Fails unless aws-lc is built without its jitter entropy (`.cargo/config.toml` says why). Cargo reads that file only
/// when it is started below this folder.
fn expect_no_jitter_entropy() {
    const VARIABLE: &str = "AWS_LC_SYS_NO_JITTER_ENTROPY";
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    if env::var_os(VARIABLE).is_none_or(|value| value != "1") {
        println!(
            "cargo::error=set {VARIABLE}=1 and build again; without it every start takes 50 ms longer and may fail"
        );
    }
}
