"""Terraform with a provider that was built here."""

import os
import shutil
import subprocess
from pathlib import Path

from emulator import GROUP_ID

TERRAFORM = Path(__file__).resolve().parent.parent.parent / ".engines/terraform"


def install(scratch, source, binary):
    """Lets Terraform take the provider `source` from a file."""
    (scratch / "provider").mkdir()
    (scratch / f"provider/terraform-provider-{source.split('/')[1]}").symlink_to(binary)
    overrides = f'dev_overrides {{\n    "{source}" = "{scratch}/provider"\n  }}\n  direct {{}}'
    (scratch / "terraformrc").write_text(f"provider_installation {{\n  {overrides}\n}}\n")
    os.environ.update(TF_CLI_CONFIG_FILE=str(scratch / "terraformrc"), CHECKPOINT_DISABLE="1")


class Terraform:
    """One configuration, in a folder of its own."""

    def __init__(self, scratch, configuration, *variables):
        self.folder = scratch / configuration.name
        self.folder.mkdir()
        shutil.copy(configuration / "main.tf", self.folder)
        self.variables = ["-var", f"group={GROUP_ID}", *variables]

    def run(self, command, *arguments, code=0):
        line = [TERRAFORM, command, "-input=false", "-no-color", *arguments, *self.variables]
        done = subprocess.run(line, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != code:
            said = (done.stdout + done.stderr).strip()
            raise AssertionError(f"terraform {command} ended with {done.returncode}, wanted {code}:\n{said}")
        return done.stdout + done.stderr

    def apply(self, *arguments):
        return self.run("apply", "-auto-approve", *arguments)

    def plan(self, *arguments, code):
        return self.run("plan", "-detailed-exitcode", *arguments, code=code)
