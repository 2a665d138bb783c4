//! The workflow that releases, as far as it runs without its service.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::workflow::scripts;

const PLATFORMS: [&str; 6] =
    ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"];

/// A clone whose one commit is that of `main`, with a changelog of this heading.
struct Clone(TempDir);

impl Clone {
    fn new(heading: &str) -> Self {
        let clone = Self(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(clone.path("packaging")).unwrap();
        for file in
            ["Cargo.toml", "LICENSE", "terraform-registry-manifest.json", "packaging/notes", "packaging/package.py"]
        {
            fs::copy(root.join(file), clone.path(file)).unwrap();
        }
        let changelog =
            format!("# Changelog\n\n{heading}\n\n* What is new.\n\n## 0.0.9 (May 1, 2026)\n\n* What was.\n");
        fs::write(clone.path("CHANGELOG.md"), changelog).unwrap();
        clone.git(&["init", "--quiet"]);
        clone.commit();
        clone.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        clone
    }

    fn path(&self, inner: &str) -> std::path::PathBuf {
        self.0.path().join(inner)
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Commit"]);
    }

    /// Runs a step of the workflow for this tag.
    fn run(&self, step: &str, tag: &str) -> Output {
        let scripts = scripts("../../.github/workflows/release.yml", "run");
        let script = scripts.iter().find(|script| script.name == step).unwrap();
        let mut command = Command::new("bash");
        command.args(["-e", "-c", &script.shell]).current_dir(self.0.path()).env("GITHUB_REF_NAME", tag);
        command.output().unwrap()
    }
}

const RELEASED: &str = "## 0.1.0 (January 2, 2027)";

#[test]
fn what_is_not_ready_is_not_released() {
    let clone = Clone::new(RELEASED);
    assert!(clone.run("Check", "v0.1.0").status.success());
    assert!(!clone.run("Check", "v0.2.0").status.success(), "a tag of another version");
    clone.commit();
    let output = clone.run("Check", "v0.1.0");
    assert!(!output.status.success(), "a commit that is not on main");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "::error::v0.1.0 is on no commit of main\n");
    for heading in
        ["## 0.1.0 (Unreleased)", "## 0.1.0", "## 0.2.0 (January 2, 2027)", "## 0.1.0 (January 2, 2027)\n\n## 0.0.10"]
    {
        let clone = Clone::new(heading);
        let empty = if heading.contains("0.0.10") { "no notes" } else { heading };
        for step in ["Check", "Package"] {
            assert!(!clone.run(step, "v0.1.0").status.success(), "{step}: {empty}");
        }
    }
}

#[test]
fn every_file_of_a_release_is_in_its_checksums() {
    let clone = Clone::new(RELEASED);
    fs::create_dir(clone.path("built")).unwrap();
    for platform in PLATFORMS {
        fs::write(clone.path("built").join(platform), platform).unwrap();
    }
    let output = clone.run("Package", "v0.1.0");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(clone.path("notes.md")).unwrap(), "\n* What is new.\n\n");
    let sums = "terraform-provider-foundryhub_0.1.0_SHA256SUMS";
    let names =
        fs::read_dir(clone.path("dist")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut expected: Vec<_> = names.filter(|name| name != sums).map(|name| format!("{name}: OK")).collect();
    expected.sort();
    assert_eq!(expected.len(), PLATFORMS.len() + 2, "packages, manifest and mirror: {expected:?}");
    let checked =
        Command::new("sha256sum").args(["--check", "--strict", sums]).current_dir(clone.path("dist")).output();
    let checked = String::from_utf8(checked.unwrap().stdout).unwrap();
    let mut checked: Vec<_> = checked.lines().collect();
    checked.sort_unstable();
    assert_eq!(checked, expected);
}
