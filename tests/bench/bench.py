"""Measures what the provider costs with real Terraform against the emulator, beside floors and, where there is one, azapi.

    bench.py --provider FILE --emulator FILE --echo FILE --twin FILE [--engine FILE] [--page FILE] [--most NUMBER]

Everything runs in one go on one machine. The figures are wall time and CPU of the whole command, then of the provider's own
processes their CPU and peak memory, and the requests to Azure Resource Manager. Wall times are medians; those of the largest
numbers of objects come from one run. AZAPI_BINARY names an azapi provider to be measured with the same work. It fails where a
target is missed.
"""

import argparse
import contextlib
import datetime
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import start_time  # noqa: E402

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ai/providers"
ACCOUNT = f"{GROUP}/Microsoft.Storage/storageAccounts/contosodata"
READER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
ASSIGNMENTS = (1, 100, 500, 2000)
STEPS = ("plan of new", "apply", "plan", "refresh", "destroy")
REPEATS = 3
# The provider's processes are started by this, which notes what each took when it has ended.
WRAPPER = """#!{python}
import json, os, sys
child = os.fork()
if child == 0:
    os.execv({program!r}, [{program!r}, *sys.argv[1:]])
_, status, used = os.wait4(child, 0)
with open({figures!r}, "a") as figures:
    figures.write(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]) + "\\n")
os._exit(os.waitstatus_to_exitcode(status) & 255)
"""


@dataclass
class Figures:
    """What one command took: seconds, seconds, seconds, MiB, requests."""

    wall: float
    cpu: float
    own_cpu: float = 0.0
    peak: float = 0.0
    requests: int = 0


@dataclass
class Subject:
    """Something to measure: what it is called, its executable, and its configuration of so many objects."""

    name: str
    binary: Path | None
    address: str
    configuration: callable
    environment: dict = field(default_factory=dict)


def provider_block(name):
    return f'terraform {{\n  required_providers {{\n    {name} = {{ source = "foundryhub/{name}" }}\n  }}\n}}\n'


def assignments(number):
    return provider_block("foundryhub") + f"""
provider "foundryhub" {{}}
resource "foundryhub_role_assignment" "reader" {{
  count                = {number}
  storage_account_id   = "{ACCOUNT}"
  principal_id         = format("aaaaaaaa-0000-4000-8000-%012d", count.index)
  principal_type       = "User"
  role_definition_name = "Storage Blob Data Reader"
}}
"""


def azapi_assignments(number):
    return f"""
terraform {{
  required_providers {{
    azapi = {{ source = "azure/azapi" }}
  }}
}}
provider "azapi" {{}}
resource "azapi_resource" "reader" {{
  count     = {number}
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  name      = uuidv5("dns", "reader-${{count.index}}")
  parent_id = "{ACCOUNT}"
  body = {{
    properties = {{
      principalId      = format("aaaaaaaa-0000-4000-8000-%012d", count.index)
      principalType    = "User"
      roleDefinitionId = "{READER}"
    }}
  }}
}}
"""


def hubs(number):
    return provider_block("foundryhub") + f"""
provider "foundryhub" {{
  subscription_id = "{SUBSCRIPTION}"
}}
resource "foundryhub_hub" "hub" {{
  count               = {number}
  name                = "hub-${{count.index}}"
  resource_group_name = "rg-ai"
  location            = "westeurope"
  storage_account_id  = "{ACCOUNT}"
  key_vault_id        = "{GROUP}/Microsoft.KeyVault/vaults/contosokeys"
  purge_on_destroy    = true
}}
"""


def empty(number):
    return provider_block("echo") + f"""
provider "echo" {{}}
resource "echo_value" "empty" {{
  count = {number}
}}
"""


def built_in(number):
    return f'resource "terraform_data" "floor" {{\n  count = {number}\n  input = "aaaaaaaa-0000-4000-8000-${{count.index}}"\n}}\n'


class Emulator:
    """An emulator in release mode with one storage account."""

    def __init__(self, program, scratch, latency):
        seed, variables = scratch / "seed.yaml", scratch / "emulator.env"
        seed.write_text("storage_accounts:\n  - { name: contosodata, resource_group: rg-ai }\n"
                        "vaults:\n  - { name: contosokeys, resource_group: rg-ai }\n")
        command = [program, "--seed", seed, "--env-file", variables, "--principals", "any", "--latency", latency]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
        lines = [line.removeprefix("export ").split("=", 1) for line in variables.read_text().splitlines() if "=" in line]
        self.environment = {name: value.strip("'\"") for name, value in lines}
        self.url = self.environment["ARM_RESOURCE_MANAGER_ENDPOINT"]
        self.trust = ssl.create_default_context(cafile=self.environment["SSL_CERT_FILE"])

    def _control(self, method, path):
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", method=method)
        with urllib.request.urlopen(request, context=self.trust) as answer:
            return json.load(answer)

    def forget_requests(self):
        self._control("DELETE", "requests")

    def requests(self):
        return len(self._control("GET", "requests?arm"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Workspace:
    """A configuration with its state, and an engine that finds the provider without a registry."""

    def __init__(self, engine, scratch, subject, number, environment):
        self.engine, self.directory = engine, Path(tempfile.mkdtemp(dir=scratch))
        self.figures = self.directory / "figures"
        (self.directory / "main.tf").write_text(subject.configuration(number))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "ARM_", "AZURE_"))}
        self.environment = {**kept, **environment, **subject.environment, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        self.wrapped = {**self.environment}
        if subject.binary is None:
            self.run(["init"], self.environment)
            return
        name = f"terraform-provider-{subject.address.split('/')[1]}"
        for folder, variables in (("plain", self.environment), ("wrapped", self.wrapped)):
            place = self.directory / folder
            place.mkdir()
            if folder == "plain":
                (place / name).symlink_to(subject.binary)
            else:
                wrapper = place / name
                wrapper.write_text(WRAPPER.format(python=sys.executable, program=str(subject.binary), figures=str(self.figures)))
                wrapper.chmod(0o755)
            file = place / "cli.tfrc"
            file.write_text(f'provider_installation {{\n  dev_overrides {{ "{subject.address}" = "{place}" }}\n  direct {{}}\n}}\n')
            variables["TF_CLI_CONFIG_FILE"] = str(file)

    def run(self, arguments, environment):
        """Wall time and CPU of a command and all its children."""
        begun = os.times()
        done = subprocess.run([self.engine, *arguments], cwd=self.directory, env=environment, capture_output=True, text=True)
        ended = os.times()
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        cpu = ended.children_user - begun.children_user + ended.children_system - begun.children_system
        return Figures(wall=ended.elapsed - begun.elapsed, cpu=cpu)

    def state_bytes(self):
        """Bytes of the state file, and of the private data in it."""
        text = (self.directory / "terraform.tfstate").read_text()
        instances = [each for resource in json.loads(text)["resources"] for each in resource["instances"]]
        return len(text), sum(len(each.get("private", "")) for each in instances)

    def own(self):
        """CPU of all processes of the provider since the last call, and the largest peak of memory."""
        if not self.figures.exists():
            return 0.0, 0.0
        noted = [json.loads(line) for line in self.figures.read_text().splitlines()]
        self.figures.unlink()
        return sum(cpu for cpu, _ in noted), max(peak for _, peak in noted)


COMMANDS = {
    "providers schema": ["providers", "schema", "-json"],
    "validate": ["validate"],
    "plan of new": ["plan", "-input=false"],
    "apply": ["apply", "-auto-approve", "-input=false"],
    "plan": ["plan", "-input=false"],
    "refresh": ["plan", "-refresh-only", "-input=false"],
    "destroy": ["destroy", "-auto-approve", "-input=false"],
}


def one_round(engine, scratch, subject, number, emulator, steps, wrapped):
    """What each step took in a new workspace, and the state after the apply with its bytes."""
    workspace = Workspace(engine, scratch, subject, number, emulator.environment)
    figures, state = {}, None
    for step in steps:
        emulator.forget_requests()
        taken = workspace.run(COMMANDS[step], workspace.wrapped if wrapped else workspace.environment)
        taken.requests = emulator.requests()
        taken.own_cpu, taken.peak = workspace.own()
        figures[step] = taken
        if step == "apply":
            state = (workspace.state_bytes(), (workspace.directory / "terraform.tfstate").read_bytes())
    shutil.rmtree(workspace.directory)
    return figures, state


def measure(engine, scratch, subjects, number, emulator, steps, repeats, keep_state):
    """Each subject's figures by its name: the medians of wall time and CPU, and the rest from a first round with the wrapper. In
    each round the subjects take turns, so that what else the machine does falls on all of them. `keep_state` is called with each
    subject and the state of its first round."""
    rounds = {subject.name: [] for subject in subjects}
    for round_number in range(repeats + 1):
        for subject in subjects:
            figures, state = one_round(engine, scratch, subject, number, emulator, steps, wrapped=round_number == 0)
            rounds[subject.name].append(figures)
            if round_number == 0:
                keep_state(subject, state)

    def median(taken, what):
        return statistics.median(getattr(each, what) for each in taken[1:] or taken)

    def of_step(taken):
        return Figures(median(taken, "wall"), median(taken, "cpu"), taken[0].own_cpu, taken[0].peak, taken[0].requests)

    return {name: {step: of_step([each[step] for each in taken]) for step in steps} for name, taken in rounds.items()}


def start_up(binary):
    """Median milliseconds from exec to the line of the handshake."""
    return statistics.median(start_time.measure([binary])[binary])


class Table:
    """The rows of the page, printed as they come."""

    def __init__(self):
        self.lines = []

    def heading(self, text):
        self._add(f"\n### {text}\n\n| what | step | wall | × floor | CPU, all | provider's CPU | peak memory | requests |\n|---|---|---|---|---|---|---|---|")

    def rows(self, name, figures, floor=None):
        for step, taken in figures.items():
            ratio = f"{taken.wall / floor[step].wall:.1f}" if floor else "1"
            own = f"{taken.own_cpu:.2f} s | {taken.peak:.1f} MiB | {taken.requests}" if taken.peak else "– | – | –"
            self._add(f"| {name} | {step} | {taken.wall:.2f} s | {ratio} | {taken.cpu:.2f} s | {own} |")

    def note(self, text):
        self._add("\n" + text)

    def _add(self, text):
        self.lines.append(text)
        print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for program in ("provider", "emulator", "echo", "twin"):
        parser.add_argument(f"--{program}", type=Path, required=True)
    parser.add_argument("--engine", default="terraform", help="Terraform's executable")
    parser.add_argument("--page", type=Path, help="the page to write")
    parser.add_argument("--most", type=int, default=5000, help="the most objects to measure")
    arguments = parser.parse_args()
    azapi = os.environ.get("AZAPI_BINARY")
    with tempfile.TemporaryDirectory(prefix="foundryhub-bench-") as scratch:
        bench = Bench(arguments, Path(scratch), Path(azapi).resolve() if azapi else None)
        bench.start_up()
        bench.without_azure()
        bench.assignments()
        bench.hubs()
    bench.compare()
    if arguments.page:
        bench.write(arguments.page)
    missed = [what for what, measured, most in bench.targets if measured > most]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


class Bench:
    """All measurements in their order."""

    def __init__(self, arguments, scratch, azapi):
        self.engine, self.scratch, self.most, self.table = arguments.engine, scratch, arguments.most, Table()
        self.emulator_program = arguments.emulator
        self.numbers = [number for number in ASSIGNMENTS if number <= self.most]
        self.targets, self.cpu_of_500 = [], {}
        self.ours = Subject("foundryhub", arguments.provider.resolve(), "foundryhub/foundryhub", assignments)
        self.twin = Subject("twin", arguments.twin.resolve(), "foundryhub/foundryhub", assignments)
        self.echo = Subject("echo, empty", arguments.echo.resolve(), "foundryhub/echo", empty)
        self.floor = Subject("terraform_data", None, "", built_in)
        self.azapi = Subject("azapi", azapi, "azure/azapi", azapi_assignments) if azapi else None

    def emulator(self, latency):
        return Emulator(self.emulator_program, self.scratch, latency)

    def start_up(self):
        self.table.note("From exec to the handshake's line, medians of 30:")
        for subject in filter(None, (self.ours, self.azapi)):
            size, taken = subject.binary.stat().st_size / 1e6, start_up(subject.binary)
            self.table.note(f"- {subject.name}: {taken:.1f} ms, {size:.1f} MB")
            if subject is self.ours:
                self.target("exec to handshake, ms", taken, 5)
                self.target("size of the executable, MB", size, 12)

    def measured(self, subjects, number, emulator, steps, repeats, floor=None):
        """The figures of each subject, which are added to the table beside the floor, if that is not among them."""
        figures = measure(self.engine, self.scratch, subjects, number, emulator, steps, repeats, self.keep_state)
        floor = floor or figures[self.floor.name]
        for name, taken in figures.items():
            self.table.rows(name, taken, None if taken is floor else floor)
        return figures

    def keep_state(self, subject, state):
        """The twin answers with the state that the provider has made."""
        if subject is self.ours and state:
            self.sizes, text = state
            kept = self.scratch / "twin.tfstate"
            kept.write_bytes(text)
            self.twin.environment["TWIN_STATE"] = str(kept)

    def without_azure(self):
        """What asks Azure for nothing, so that its latency does not count."""
        subjects = [subject for subject in (self.floor, self.echo, self.ours, self.azapi) if subject]
        for number in self.numbers:
            with self.emulator("0ms") as emulator:
                self.table.heading(f"{number} role assignments, without Azure")
                steps = ("providers schema", "validate") if number == 1 else ("validate",)
                self.measured(subjects, number, emulator, steps, 1)

    def assignments(self):
        for number in self.numbers:
            repeats = {500: 2, 2000: 0}.get(number, REPEATS)
            with self.emulator("0ms") as emulator:
                self.table.heading(f"{number} role assignments")
                subjects = [self.floor, self.echo, self.ours, self.twin]
                figures = self.measured(subjects, number, emulator, STEPS, repeats)
                floor, _, ours, twin = (figures[subject.name] for subject in subjects)
                of_state, of_private = self.sizes
                ratios = ", ".join(f"{step} {ours[step].wall / twin[step].wall:.2f}" for step in STEPS)
                self.judge_assignments(number, ours, twin)
                theirs = None
                if self.azapi and number <= 500:
                    theirs = self.measured([self.azapi], number, emulator, STEPS, 1, floor)[self.azapi.name]
                self.table.note(f"foundryhub to its twin: {ratios}. State: {of_state // number} bytes for each, private data {of_private // number}.")
                if theirs:
                    ratios = ", ".join(f"{step} 1/{theirs[step].cpu / ours[step].cpu:.1f}" for step in STEPS)
                    self.table.note(f"CPU of foundryhub's whole commands to that of azapi's: {ratios}.")
                    if number == 500:
                        self.target("CPU of the whole plan of 500 to azapi's", ours["plan"].cpu / theirs["plan"].cpu, 1 / 15)
            with self.emulator("50ms") as emulator:
                self.table.heading(f"{number} role assignments, Azure answers after 50 ms")
                if number == 2000:
                    self.measured([self.ours], number, emulator, STEPS, 0, floor)
                else:
                    figures = self.measured([self.floor, self.echo, self.ours], number, emulator, STEPS, 1)
            if number == 500:
                for step in ("plan", "apply"):
                    ratio = figures[self.ours.name][step].wall / figures[self.echo.name][step].wall
                    self.target(f"{step} of {number} at 50 ms to the protocol's floor", ratio, 3)

    def judge_assignments(self, number, ours, twin):
        if number == 500:
            for step in ("plan", "apply"):
                self.target(f"{step} of 500 to the twin's", ours[step].wall / twin[step].wall, 1.15)
            self.target("the provider's CPU in a plan of 500, seconds", ours["plan"].own_cpu, 0.25)
            self.target("the provider's CPU in an apply of 500, seconds", ours["apply"].own_cpu, 0.8)
            self.cpu_of_500 = {step: taken.own_cpu for step, taken in ours.items()}
        if number == 2000:
            for step in ("plan", "apply"):
                self.target(f"the provider's CPU in {step} of 2,000 to that of 500", ours[step].own_cpu / self.cpu_of_500[step], 4)
        if number >= 500:
            self.target(f"peak memory at {number}, MiB", max(taken.peak for taken in ours.values()), 16 if number == 500 else 24)
        # A page of a list has 200 assignments.
        a_list = -(-number // 200) + 1
        most = {"plan of new": 1, "apply": number + 2, "plan": a_list, "refresh": a_list, "destroy": number + a_list}
        for step, taken in ours.items():
            self.target(f"requests of {step} of {number}", taken.requests, most[step])

    def target(self, what, measured, most):
        self.targets.append((what, measured, most))

    def hubs(self):
        ours = Subject("foundryhub", self.ours.binary, self.ours.address, hubs)
        for number, steps in ((1, STEPS), (200, STEPS), (5000, STEPS[:1])):
            if number > self.most:
                continue
            for latency in ("0ms", "50ms"):
                if latency == "50ms" and number == 5000:
                    continue
                with self.emulator(latency) as emulator:
                    self.table.heading(f"{number} hubs, Azure answers after {latency.replace('ms', ' ms')}")
                    self.measured([self.floor, ours], number, emulator, steps, 1)

    def compare(self):
        """The table of targets."""
        lines = [f"| {what} | {measured:.4g} | {most:g} | {'' if measured <= most else 'missed '}|" for what, measured, most in self.targets]
        self.table.note("### Targets\n\n| what | measured | at most | |\n|---|---|---|---|\n" + "\n".join(lines))

    def write(self, page):
        """Puts the tables between the two marks of the page."""
        version = subprocess.run([self.engine, "version"], capture_output=True, text=True).stdout.splitlines()[0]
        at_most = f", at most {self.most} objects" if self.most < 5000 else ""
        told = f"`make bench` of {datetime.date.today()}, {version}, {os.cpu_count()} cores{at_most}"
        begin, end = "<!-- measured: written by make bench -->\n", "<!-- end of what was measured -->"
        before, rest = page.read_text().split(begin)
        page.write_text(before + begin + told + "\n" + "\n".join(self.table.lines) + "\n\n" + end + rest.split(end)[1])


if __name__ == "__main__":
    main()
