//! The packages that `make dist` makes, and how engines install them: from where they look by themselves, from a mirror in
//! the file system, and from one that is served over HTTPS.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::azure::{Emulator, Options, tls};
use crate::support::engine::{Engine, Workspace, for_each_engine};
use crate::support::release;

/// The packages of the released executable, for this platform and for one that is none of its.
struct Packages(TempDir);

impl Packages {
    fn make() -> Self {
        let packages = Self(tempfile::tempdir().unwrap());
        let executable = release();
        let executable = executable.display();
        package(&[format!("linux_amd64={executable}"), format!("windows_arm64={executable}")], packages.path());
        packages
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn mirror(&self) -> PathBuf {
        self.path().join("mirror")
    }
}

/// Runs the program that `make dist` runs.
fn package(executables: &[String], out: &Path) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/package.py");
    let output = Command::new("python3").arg(program).args(executables).arg("--out").arg(out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Paths below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for path in fs::read_dir(inner).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found
}

#[test]
fn packages_have_the_names_and_the_content_that_registries_want() {
    let packages = Packages::make();
    let name = "terraform-provider-foundryhub_0.1.0";
    let top: Vec<_> = files(packages.path()).into_iter().filter(|path| !path.starts_with("mirror/")).collect();
    let [linux, windows] = ["linux_amd64", "windows_arm64"].map(|platform| format!("{name}_{platform}.zip"));
    let (sums, manifest) = (format!("{name}_SHA256SUMS"), format!("{name}_manifest.json"));
    assert_eq!(top, [sums.clone(), linux.clone(), manifest.clone(), windows.clone()]);
    let checked = Command::new("sha256sum").args(["--check", "--strict", &sums]).current_dir(packages.path()).output();
    let checked = String::from_utf8(checked.unwrap().stdout).unwrap();
    assert_eq!(checked, format!("{linux}: OK\n{manifest}: OK\n{windows}: OK\n"));
    for (package, executable) in [(linux, ""), (windows, ".exe")] {
        let listed = Command::new("python3").args(["-c", LIST]).arg(packages.path().join(package)).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let executable = format!("terraform-provider-foundryhub_v0.1.0{executable}");
        assert_eq!(listed, format!("LICENSE -rw-r--r-- 1980\n{executable} -rwxr-xr-x 1980\n"));
    }
}

/// Prints names, modes and years of what is in a zip.
const LIST: &str = "import stat, sys, zipfile
for entry in zipfile.ZipFile(sys.argv[1]).infolist():
    print(entry.filename, stat.filemode(entry.external_attr >> 16), entry.date_time[0])";

#[test]
fn the_same_executable_gives_the_same_bytes() {
    let packages = [Packages::make(), Packages::make()];
    let [one, other] = packages.each_ref().map(Packages::path);
    assert_eq!(files(one), files(other));
    for file in files(one) {
        assert!(fs::read(one.join(&file)).unwrap() == fs::read(other.join(&file)).unwrap(), "{file}");
    }
}

/// A workspace with the quickstart and an emulator that has its hub. The engine has no configuration of its own.
async fn quickstart(engine: &'static Engine) -> (Emulator, Workspace) {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/emulator.yaml");
    let emulator = Emulator::start(Options { seed: Some(seed), ..Options::quick() }).await.unwrap();
    let workspace = Workspace::new(engine).envs(emulator.environment());
    workspace.copy("examples/quickstart");
    (emulator, workspace)
}

#[tokio::test]
async fn a_plain_init_takes_what_make_install_has_installed() {
    let packages = Packages::make();
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/install");
    for_each_engine(async |engine| {
        let (_emulator, workspace) = quickstart(engine).await;
        workspace.write_cli_config("");
        let installed = workspace.start_program(&install, &[packages.path().to_str().unwrap()]).finish().await;
        installed.succeeded().says(".terraform.d/plugins/registry.terraform.io/foundryhub/foundryhub");
        let elsewhere = ["-c", "MIRROR=mirror exec \"$1\" \"$2\"", "sh"].map(str::to_owned).into_iter();
        let elsewhere: Vec<_> =
            elsewhere.chain([install.as_path(), packages.path()].map(|path| path.display().to_string())).collect();
        let elsewhere: Vec<_> = elsewhere.iter().map(String::as_str).collect();
        let elsewhere = workspace.start_program("/bin/sh".as_ref(), &elsewhere).finish().await;
        elsewhere.succeeded().says("installed in mirror/registry.opentofu.org/foundryhub/foundryhub");
        workspace.init().await.succeeded().says("foundryhub/foundryhub v0.1.0 (unauthenticated)");
        workspace.plan(&[]).await.exits(2);
        workspace.apply_planned().await.succeeded();
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

#[tokio::test]
async fn a_mirror_over_https_gives_what_the_lock_file_says() {
    let packages = Packages::make();
    let mirror = Served::start(&packages.mirror()).await;
    for_each_engine(async |engine| {
        let (_emulator, workspace) = quickstart(engine).await;
        workspace.write_cli_config(&format!("network_mirror {{\n    url = \"{}/\"\n  }}", mirror.url));
        // One file of authorities, for the mirror and for Azure.
        let workspace = workspace.trusting(&mirror.authority);
        workspace.init().await.succeeded().says("Installed foundryhub/foundryhub v0.1.0");
        assert_eq!(workspace.locked().matches("h1:").count(), 1, "{}", workspace.locked());
        workspace.apply(&[]).await.succeeded();

        // Another machine, with the lock file alone.
        workspace.forget_installed();
        workspace.run(&["init", "-input=false", "-no-color", "-lockfile=readonly"]).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        // The lock file of somebody who works on other platforms too.
        workspace.forget_installed();
        fs::remove_file(workspace.path().join(".terraform.lock.hcl")).unwrap();
        let url = format!("-net-mirror={}/", mirror.url);
        let lock = ["providers", "lock", &url, "-platform=linux_amd64", "-platform=windows_arm64"];
        workspace.run(&lock).await.succeeded();
        assert_eq!(workspace.locked().matches("h1:").count(), 2, "{}", workspace.locked());
        workspace.run(&["init", "-input=false", "-no-color", "-lockfile=readonly"]).await.succeeded();
        workspace.plan(&[]).await.exits(0);

        // A package that is not the one that was locked.
        let changed = workspace.locked().replace("h1:", "h1:AAAA").replace("zh:", "zh:0000");
        fs::write(workspace.path().join(".terraform.lock.hcl"), changed).unwrap();
        workspace.forget_installed();
        workspace.init().await.exits(1).says("checksums");
    })
    .await;
}

/// A folder that is served over HTTPS.
struct Served {
    url: String,
    /// The certificate of who vouches for it.
    authority: String,
}

impl Served {
    async fn start(folder: &Path) -> Self {
        let (acceptor, authority) = tls::acceptor(None).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let folder = Arc::new(folder.to_owned());
        let router = Router::new().fallback(move |uri: Uri| {
            let file = folder.join(uri.path().trim_start_matches('/'));
            let kind = if file.extension().is_some_and(|kind| kind == "json") {
                "application/json"
            } else {
                "application/zip"
            };
            async move {
                fs::read(file).map_or(Err(StatusCode::NOT_FOUND), |content| Ok(([("content-type", kind)], content)))
            }
        });
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
                tokio::spawn(async move {
                    // Clients may hang up whenever they like.
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, authority }
    }
}
