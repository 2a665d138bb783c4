//! Runs real Terraform and OpenTofu.
//!
//! ```ignore
//! for_each_engine(async |engine| {
//!     let workspace = Workspace::new(engine).envs(emulator.environment());
//!     workspace.config(r#"resource "foundryhub_storage_auth" "hub" { … }"#);
//!     workspace.apply(&[]).await.succeeded();
//!     workspace.plan(&[]).await.exits(0);
//! })
//! .await;
//! ```
//!
//! A [`Workspace`] is a directory with a configuration and its state. The engine in it has a home of its own and sees
//! no variables but those a test gives it, so nothing on the developer's machine changes a test. It reaches no
//! registry: providers come from overrides or from a mirror in the file system.

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt, fs,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use futures_util::FutureExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle, time::timeout};

use super::plugin::{Plugin, signal};

/// How long one command may take before a test gives up on it. Only a hang takes that long.
const HANG: Duration = Duration::from_secs(300);

/// What must be there where nothing may be skipped, with the oldest version that will do.
const REQUIRED: [(Product, (u32, u32)); 2] = [(Product::Terraform, (1, 14)), (Product::OpenTofu, (1, 11))];

/// The oldest Terraform that is supported, which must be there too.
const OLDEST: (u32, u32) = (1, 6);

/// The registries of both products.
pub(crate) const REGISTRIES: [&str; 2] = [Product::Terraform.registry(), Product::OpenTofu.registry()];

/// Which product an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Terraform,
    OpenTofu,
}

impl Product {
    /// The host with which it completes the address of a provider that names none.
    pub(crate) const fn registry(self) -> &'static str {
        match self {
            Self::Terraform => "registry.terraform.io",
            Self::OpenTofu => "registry.opentofu.org",
        }
    }
}

/// One version of Terraform or OpenTofu on this machine.
#[derive(Debug)]
pub(crate) struct Engine {
    program: PathBuf,
    pub(crate) product: Product,
    /// The version as it prints it, such as `1.15.5`.
    version: String,
    /// Its first two numbers.
    release: (u32, u32),
}

impl Engine {
    /// Asks a program for its product and version; None if it is no engine.
    fn ask(program: &Path) -> Option<Self> {
        let mut command = std::process::Command::new(program);
        let command = command.arg("version").env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
        let output = command.output().ok().filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (name, version) = text.lines().next()?.split_once(" v")?;
        let product = match name {
            "Terraform" => Product::Terraform,
            "OpenTofu" => Product::OpenTofu,
            _ => return None,
        };
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        let release = (numbers.next()??, numbers.next()??);
        Some(Self { program: program.to_owned(), product, version: version.to_owned(), release })
    }

    /// The file that is run.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Whether it has `terraform query` and actions, which OpenTofu has not.
    pub(crate) fn knows_lists_and_actions(&self) -> bool {
        self.product == Product::Terraform && self.release >= (1, 14)
    }

    /// Whether an `import` block may name an object by its identity: both products learnt it in their 1.12.
    pub(crate) fn knows_identities(&self) -> bool {
        self.release >= (1, 12)
    }

    /// Whether it calls functions of providers and runs test files.
    pub(crate) fn knows_functions(&self) -> bool {
        self.is_since((1, 8), (1, 7))
    }

    /// Whether an object may move to another type of resource.
    pub(crate) fn knows_moves_between_types(&self) -> bool {
        self.is_since((1, 8), (1, 10))
    }

    /// Whether it has `removed` blocks, which both products have since their 1.7.
    pub(crate) fn knows_removed_blocks(&self) -> bool {
        self.release >= (1, 7)
    }

    /// Whether it takes back what it has sent of numbers with many digits; Terraform 1.6 finds another number in it.
    pub(crate) fn keeps_all_digits(&self) -> bool {
        self.release > OLDEST
    }

    /// Whether it generates configuration for imports; Terraform 1.6 crashes over nested attributes.
    pub(crate) fn generates_configuration(&self) -> bool {
        self.release > OLDEST
    }

    fn is_since(&self, terraform: (u32, u32), opentofu: (u32, u32)) -> bool {
        self.release
            >= match self.product {
                Product::Terraform => terraform,
                Product::OpenTofu => opentofu,
            }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {}", self.product, self.version)
    }
}

/// Runs a test on every engine there is, and fails naming those on which it failed.
pub(crate) async fn for_each_engine(test: impl AsyncFn(&'static Engine)) {
    for_each_engine_that(|_| true, test).await;
}

/// The same on those engines alone that know what the test is about.
pub(crate) async fn for_each_engine_that(knows: fn(&Engine) -> bool, test: impl AsyncFn(&'static Engine)) {
    let (mut failed, mut ran) = (Vec::new(), false);
    for engine in engines().iter().filter(|engine| knows(engine)) {
        ran = true;
        if AssertUnwindSafe(test(engine)).catch_unwind().await.is_err() {
            eprintln!("failed on {engine} ({})", engine.program.display());
            failed.push(engine.to_string());
        }
    }
    assert!(failed.is_empty(), "failed on {}", failed.join(", "));
    assert!(ran || !strict(), "no engine knows what this is about");
}

/// Every version of either product that is on this machine, each once.
///
/// Panics when there is none, and where nothing may be skipped also when a required one is missing: a test that ran on
/// no engine would have shown nothing.
pub(crate) fn engines() -> &'static [Engine] {
    static ENGINES: OnceLock<Vec<Engine>> = OnceLock::new();
    let engines = ENGINES.get_or_init(find);
    let mut missing: Vec<String> = REQUIRED
        .iter()
        .filter(|(product, oldest)| !engines.iter().any(|e| e.product == *product && e.release >= *oldest))
        .map(|(product, (major, minor))| format!("no {product:?} from {major}.{minor} on"))
        .collect();
    // Its package is for this platform alone.
    let packaged = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    if packaged && !engines.iter().any(|engine| engine.product == Product::Terraform && engine.release == OLDEST) {
        missing.push(format!("no Terraform {}.{}", OLDEST.0, OLDEST.1));
    }
    let enough = if strict() { missing.is_empty() } else { !engines.is_empty() };
    assert!(enough, "there is {}: run `make engines` first", missing.join(" and "));
    engines
}

/// Whether nothing may be skipped.
fn strict() -> bool {
    env::var("CI").is_ok_and(|value| value == "true") || env::var_os("FOUNDRYHUB_ALL_ENGINES").is_some()
}

fn find() -> Vec<Engine> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path =
        |name: &str| env::split_paths(&path).map(|directory| directory.join(name)).find(|program| program.is_file());
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join(".engines");
    let candidates = [
        env::var_os("TF_ACC_TERRAFORM_PATH").map(PathBuf::from),
        Some(ours.join("terraform")),
        Some(ours.join("terraform-oldest")),
        Some(ours.join("tofu")),
        on_path("terraform"),
        on_path("tofu"),
    ];
    let mut engines: Vec<Engine> = Vec::new();
    for engine in candidates.into_iter().flatten().filter_map(|program| Engine::ask(&program)) {
        if !engines.iter().any(|known| known.to_string() == engine.to_string()) {
            engines.push(engine);
        }
    }
    engines
}

/// A provider for an engine to load.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// Namespace and type, without a host.
    source: &'static str,
    program: PathBuf,
}

impl Provider {
    /// The provider's own binary.
    pub(crate) fn foundryhub() -> Self {
        Self { source: "foundryhub/foundryhub", program: super::provider() }
    }

    /// Another one, named as in an address without a host.
    pub(crate) fn new(source: &'static str, program: &Path) -> Self {
        Self { source, program: program.to_owned() }
    }

    /// Its name as a file, which the engine finds it by.
    fn file_name(&self) -> String {
        let (_, name) = self.source.split_once('/').unwrap();
        format!("terraform-provider-{name}")
    }
}

/// A configuration, its state and the engine that works on them. Gone when dropped.
pub(crate) struct Workspace {
    engine: &'static Engine,
    environment: Vec<(OsString, OsString)>,
    provider: Provider,
    directory: TempDir,
}

impl Workspace {
    /// A workspace whose engine takes the provider's own binary by override, so that it needs no `init`.
    pub(crate) fn new(engine: &'static Engine) -> Self {
        Self::with_provider(engine, Provider::foundryhub())
    }

    /// The same with another provider.
    pub(crate) fn with_provider(engine: &'static Engine, provider: Provider) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for inner in ["home", "tmp", "plugin", "work"] {
            fs::create_dir(directory.path().join(inner)).unwrap();
        }
        let plugin = directory.path().join("plugin");
        std::os::unix::fs::symlink(&provider.program, plugin.join(provider.file_name())).unwrap();
        let overrides = REGISTRIES.map(|host| format!("    \"{host}/{}\" = {plugin:?}\n", provider.source)).concat();
        let workspace = Self { engine, environment: Vec::new(), provider, directory };
        workspace.write_cli_config(&format!("dev_overrides {{\n{overrides}  }}"));
        workspace
    }

    /// A workspace whose engine starts no plugin but calls one that runs, with `--debug`.
    pub(crate) fn attached(engine: &'static Engine, plugin: &Plugin) -> Self {
        let nothing = Provider { program: "nothing".into(), ..Provider::foundryhub() };
        Self::with_provider(engine, nothing).env("TF_REATTACH_PROVIDERS", plugin.line())
    }

    /// Takes the provider from a mirror in the file system instead, as from a registry; `init` installs it.
    pub(crate) fn mirrored(self) -> Self {
        let mirror = self.directory.path().join("mirror");
        for host in REGISTRIES {
            let os = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
            let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
            let place = mirror.join(host).join(self.provider.source).join("0.1.0").join(format!("{os}_{arch}"));
            fs::create_dir_all(&place).unwrap();
            let file = place.join(format!("{}_v0.1.0", self.provider.file_name()));
            // A hard link to another file system is not possible.
            if fs::hard_link(&self.provider.program, &file).is_err() {
                fs::copy(&self.provider.program, &file).unwrap();
            }
        }
        self.write_cli_config(&format!("filesystem_mirror {{\n    path = {mirror:?}\n  }}"));
        self
    }

    /// Says from where the engine installs providers; nothing at all leaves it to look where it does by itself.
    pub(crate) fn write_cli_config(&self, installation: &str) {
        if installation.is_empty() {
            return fs::write(self.cli_config(), "disable_checkpoint = true\n").unwrap();
        }
        let text = format!("disable_checkpoint = true\nprovider_installation {{\n  {installation}\n}}\n");
        fs::write(self.cli_config(), text).unwrap();
    }

    fn cli_config(&self) -> PathBuf {
        self.directory.path().join("cli.tfrc")
    }

    /// Sets a variable of every command's environment.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets several, such as those that point at an emulator.
    pub(crate) fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(self, all: impl IntoIterator<Item = (N, V)>) -> Self {
        all.into_iter().fold(self, |workspace, (name, value)| workspace.env(name, value))
    }

    /// Trusts this authority (PEM) beside those that it trusts already.
    pub(crate) fn trusting(self, authority: &str) -> Self {
        let trusted = self.environment.iter().rfind(|(name, _)| name == "SSL_CERT_FILE");
        let trusted = trusted.map_or_else(String::new, |(_, file)| fs::read_to_string(file).unwrap());
        let file = self.directory.path().join("authorities.pem");
        fs::write(&file, trusted + authority).unwrap();
        self.env("SSL_CERT_FILE", file)
    }

    /// The lock file.
    pub(crate) fn locked(&self) -> String {
        fs::read_to_string(self.path().join(".terraform.lock.hcl")).unwrap()
    }

    /// Removes what `init` has installed, as on a machine where it has not run.
    pub(crate) fn forget_installed(&self) {
        let _ = fs::remove_dir_all(self.path().join(".terraform"));
    }

    /// Where the configuration is.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Makes this the configuration, besides the line that says which provider it uses.
    pub(crate) fn config(&self, text: &str) {
        let (_, name) = self.provider.source.split_once('/').unwrap();
        let source = self.provider.source;
        let uses = format!("terraform {{\n  required_providers {{\n    {name} = {{ source = {source:?} }}\n  }}\n}}\n");
        fs::write(self.path().join("main.tf"), uses + text).unwrap();
    }

    /// Makes the files of a folder, relative to the repository's root, the configuration, with its tests and queries.
    pub(crate) fn copy(&self, folder: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "tf" || extension == "hcl") {
                fs::copy(&file, self.path().join(file.file_name().unwrap())).unwrap();
            }
        }
    }

    /// All text that the engine has left in files: state, backups, logs.
    pub(crate) fn files(&self) -> String {
        let mut text = String::new();
        let mut folders = vec![self.path(), self.directory.path().join("home")];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text += &String::from_utf8_lossy(&fs::read(path).unwrap());
                }
            }
        }
        text
    }

    /// Installs the provider; not for overrides on engines that do not take it then.
    pub(crate) async fn init(&self) -> Outcome {
        self.run(&["init", "-input=false", "-no-color"]).await
    }

    pub(crate) async fn validate(&self) -> Outcome {
        self.run(&["validate", "-no-color"]).await
    }

    /// Plans into a file; exit code 2 says that there are changes, 0 that there are none.
    pub(crate) async fn plan(&self, arguments: &[&str]) -> Outcome {
        let fixed = ["plan", "-input=false", "-no-color", "-detailed-exitcode", "-out=planned"];
        self.run(&[&fixed[..], arguments].concat()).await
    }

    /// What the last plan is going to do, as JSON.
    pub(crate) async fn planned(&self) -> Value {
        self.run(&["show", "-json", "planned"]).await.succeeded().json()
    }

    /// Does what the last plan says.
    pub(crate) async fn apply_planned(&self) -> Outcome {
        self.run(&["apply", "-input=false", "-no-color", "planned"]).await
    }

    /// Plans and does it.
    pub(crate) async fn apply(&self, arguments: &[&str]) -> Outcome {
        self.start_apply(arguments).finish().await
    }

    /// Begins to plan and apply, for a test that does something meanwhile.
    pub(crate) fn start_apply(&self, arguments: &[&str]) -> Running {
        self.start(&[&["apply", "-input=false", "-no-color", "-auto-approve"][..], arguments].concat())
    }

    pub(crate) async fn destroy(&self, arguments: &[&str]) -> Outcome {
        self.run(&[&["destroy", "-input=false", "-no-color", "-auto-approve"][..], arguments].concat()).await
    }

    pub(crate) async fn import(&self, address: &str, id: &str) -> Outcome {
        self.run(&["import", "-input=false", "-no-color", address, id]).await
    }

    /// The outputs, by name, as `output -json` has them.
    pub(crate) async fn outputs(&self) -> serde_json::Map<String, Value> {
        let Value::Object(outputs) = self.run(&["output", "-json"]).await.succeeded().json() else {
            panic!("the outputs are no object");
        };
        outputs
    }

    /// The resource instances in state, by address, as `show -json` has them.
    pub(crate) async fn state(&self) -> Vec<Value> {
        let shown = self.run(&["show", "-json"]).await.succeeded().json();
        shown.pointer("/values/root_module/resources").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// One instance in state: its `values`, whether it is `tainted`, and more.
    pub(crate) async fn in_state(&self, address: &str) -> Option<Value> {
        self.state().await.into_iter().find(|resource| resource["address"] == address)
    }

    /// Runs any command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).finish().await
    }

    /// Starts any command.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_program(&self.engine.program, arguments)
    }

    /// Starts another program where an engine would run, and as the engine would.
    pub(crate) fn start_program(&self, program: &Path, arguments: &[&str]) -> Running {
        let inner = |name| self.directory.path().join(name);
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path()).env_clear();
        // Tools that measure coverage tell the plugin where to write.
        command.envs(env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE"));
        command.env("HOME", inner("home")).env("TMPDIR", inner("tmp")).env("TF_CLI_CONFIG_FILE", self.cli_config());
        command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own, as a terminal gives it, so that Ctrl-C reaches the plugins too and nothing outlives us.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let group = child.id().expect("a process that was not waited for");
        Running {
            command: format!("{} {}", self.engine, arguments.join(" ")),
            group: format!("-{group}"),
            output: tokio::spawn(async { child.wait_with_output().await.unwrap() }),
        }
    }
}

/// A command that runs; it and all that it started are killed when this is dropped before the end.
pub(crate) struct Running {
    command: String,
    /// Its process group, as kill(1) wants it.
    group: String,
    output: JoinHandle<Output>,
}

impl Running {
    /// Presses Ctrl-C: the engine and its plugins get SIGINT.
    pub(crate) async fn interrupt(&self) {
        signal(&self.group, "INT").await;
    }

    /// The engine's process id.
    pub(crate) fn pid(&self) -> &str {
        self.group.trim_start_matches('-')
    }

    /// Waits for the end, also of everything that the command has started.
    pub(crate) async fn finish_wholly(self) -> Outcome {
        let group = self.pid().to_owned();
        let outcome = self.finish().await;
        // Nothing tells of the end of somebody else's child.
        let gone = async {
            while has_processes(&group) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(HANG, gone).await.unwrap_or_else(|_| panic!("processes are left of {outcome}"));
        outcome
    }

    /// Waits for the end.
    pub(crate) async fn finish(self) -> Outcome {
        self.finish_within(HANG).await
    }

    /// Waits for the end of a command that has much to do.
    pub(crate) async fn finish_within(mut self, patience: Duration) -> Outcome {
        let Ok(output) = timeout(patience, &mut self.output).await else {
            panic!("{} took longer than {patience:?}", self.command);
        };
        let Output { status, stdout, stderr } = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let command = std::mem::take(&mut self.command);
        Outcome { command, code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}

/// The processes of plugins that an engine, known by its process id, has started.
pub(crate) async fn plugins_of(engine: &str) -> Vec<String> {
    let found = Command::new("pgrep").args(["-g", engine, "-f", "terraform-provider-"]).output().await.unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Whether a process group has any that have not ended.
fn has_processes(group: &str) -> bool {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pgid=,stat="]).output().unwrap();
    let running = |line: &str| {
        let mut fields = line.split_whitespace();
        fields.next() == Some(group) && fields.next().is_some_and(|state| !state.starts_with('Z'))
    };
    String::from_utf8_lossy(&output.stdout).lines().any(running)
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.output.is_finished() {
            // The processes may have ended meanwhile.
            let kill = format!("kill -s KILL -- {}", self.group);
            let _ = std::process::Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Passes if the exit code was 0.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        self.exits(0)
    }

    /// Passes if this was the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Passes if the output has this text, however the engine broke it into lines.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let said = self.words();
        assert!(said.contains(&words(text)), "{text:?} is missing from {self}");
        self
    }

    /// The whole output on one line, however the engine broke it into lines.
    pub(crate) fn words(&self) -> String {
        words(&format!("{}\n{}", self.stdout, self.stderr))
    }

    /// The headlines of the warnings, without what an engine has to say of overrides and of incomplete lock files.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.headlines("Warning: ");
        warnings.filter(|warning| *warning != "Provider development overrides are in effect").collect()
    }

    /// The headlines of the errors.
    pub(crate) fn errors(&self) -> Vec<&str> {
        self.headlines("Error: ").collect()
    }

    fn headlines(&self, severity: &str) -> impl Iterator<Item = &str> {
        let lines = self.stdout.lines().chain(self.stderr.lines());
        lines.filter_map(move |line| line.trim_start_matches(['│', ' ']).strip_prefix(severity))
    }

    /// The standard output, read as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(formatter, "`{command}`, which ended with {code:?}\n{stdout}{stderr}")
    }
}

/// The text on one line, without the frame that an engine draws around diagnostics.
fn words(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || "│╷╵".contains(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
