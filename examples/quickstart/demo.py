"""Takes a hub from shared keys to Microsoft Entra authorization and back: `make demo`, `make demo ENGINE=tofu`.

A real engine works with the provider against a local emulator of Azure. What it did is read back from Azure's own
API, never from the engine's state. Ends with 1 when any step did not behave.

    demo.py [terraform | tofu | PROGRAM] [--binaries DIRECTORY] [--provider FILE]
"""

import argparse
import base64
import email.utils
import hashlib
import hmac
import json
import os
import platform
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ML = "Microsoft.MachineLearningServices/workspaces"
HUB = f"/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/{ML}/contoso-hub"
ACCOUNT = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/Microsoft.Storage/storageAccounts/contosodata"
CONTRIBUTOR = {"Storage Blob Data Contributor", "Storage File Data Privileged Contributor"}
READER = {"Storage Blob Data Reader", "Storage File Data Privileged Reader"}


class Misbehaved(Exception):
    """A step that did not do what it should."""


class Person:
    """Somebody who signs in."""

    def __init__(self, client, secret, object_id=None):
        self.client, self.secret, self.object_id = client, secret, object_id


DATA_SCIENTIST = Person("bbbbbbbb-0000-4000-8000-000000000001", "data-scientist", "aaaaaaaa-0000-4000-8000-000000000001")
AUDITOR = Person("bbbbbbbb-0000-4000-8000-000000000002", "auditor", "aaaaaaaa-0000-4000-8000-000000000002")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", nargs="?", help="terraform, tofu or a program")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target/debug", help="where cargo put what it built")
    parser.add_argument("--provider", type=Path, help="the provider's executable, if another one")
    arguments = parser.parse_args()
    provider = arguments.provider or arguments.binaries / "terraform-provider-foundryhub"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="foundryhub-demo-") as scratch:
        try:
            engine = Engine(find_engine(arguments.engine), Path(scratch), provider)
            with Emulator(arguments.binaries, Path(scratch)) as environment:
                demonstrate(engine, Azure(environment), environment)
        except Misbehaved as problem:
            sys.exit(f"\nFAILED: {problem}")
        except KeyboardInterrupt:
            sys.exit(130)
    print("\nEvery step behaved.")


def demonstrate(engine, azure, environment):
    """The whole way, each step with its proof."""
    owner = Person(environment["ARM_CLIENT_ID"], environment["ARM_CLIENT_SECRET"])
    engine.environment.update(environment)

    step("A hub whose storage is reached with keys")
    tell_state(azure, owner, mode="accesskey", keys=True)
    by_key(azure, owner, "200")
    by_role(azure, AUDITOR, "the auditor", "AuthorizationPermissionMismatch")

    step(f"init ({engine.version})")
    engine.run("init", expect=0)

    step("plan: what it would take to do without keys")
    engine.plan(expect=2)

    step("apply")
    engine.apply()
    tell_state(azure, owner, mode="identity", keys=False)
    tell_roles(azure, owner, DATA_SCIENTIST, "the data scientist", CONTRIBUTOR)
    tell_roles(azure, owner, AUDITOR, "the auditor", READER)
    by_key(azure, owner, "KeyBasedAuthenticationNotPermitted")
    by_role(azure, AUDITOR, "the auditor", "200")

    step("plan: nothing left to do")
    engine.plan(expect=0)

    step("Somebody sets the hub back to keys behind the engine's back")
    azure.arm(owner, "PATCH", HUB, {"properties": {"systemDatastoresAuthMode": "accesskey"}})
    tell_state(azure, owner, mode="accesskey", keys=False)

    step("plan: the drift shows")
    said = engine.plan(expect=2)
    check("the plan names the change", re.search(r'"accesskey" -> "identity"', said))

    step("apply: the drift is healed")
    engine.apply()
    tell_state(azure, owner, mode="identity", keys=False)

    step("destroy: what was found is put back")
    engine.run("destroy", "-auto-approve", expect=0)
    tell_state(azure, owner, mode="accesskey", keys=True)
    tell_roles(azure, owner, DATA_SCIENTIST, "the data scientist", set())
    tell_roles(azure, owner, AUDITOR, "the auditor", set())
    by_key(azure, owner, "200")
    by_role(azure, AUDITOR, "the auditor", "AuthorizationPermissionMismatch")


def step(title, count=[0]):
    count[0] += 1
    print(f"\n{count[0]}. {title}", flush=True)


def tell(text):
    print(f"   {text}", flush=True)


def check(claim, truth):
    """Prints the claim if it holds, else ends the demo."""
    if not truth:
        raise Misbehaved(f"expected that {claim}")
    tell(claim)


def tell_state(azure, owner, mode, keys):
    found = azure.arm(owner, "GET", HUB)["properties"].get("systemDatastoresAuthMode", "accesskey")
    allowed = azure.arm(owner, "GET", ACCOUNT)["properties"].get("allowSharedKeyAccess") is not False
    said = {True: "on", False: "off"}
    check(f"Azure says: mode {mode}, keys {said[keys]}", found.lower() == mode and allowed == keys)


def tell_roles(azure, owner, person, who, wanted):
    found = azure.roles(owner, person.object_id)
    check(f"Azure says: {who} holds {' and '.join(sorted(wanted)) or 'no role'}", found == wanted)


def by_key(azure, owner, wanted):
    check(f"listing a container with the account's key: {wanted}", azure.list_by_key(owner) == wanted)


def by_role(azure, person, who, wanted):
    check(f"listing it as {who}: {wanted}", azure.list_by_token(person) == wanted)


class Azure:
    """Azure's API as anybody sees it: sign-in, resource manager and the blob service."""

    # An id belongs to the kind that it names last.
    VERSIONS = {"Microsoft.Authorization": "2022-04-01", ML: "2025-06-01", "storageAccounts": "2023-05-01"}

    def __init__(self, environment):
        self.url = environment["ARM_RESOURCE_MANAGER_ENDPOINT"]
        self.sign_in = f"{environment['ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST']}/{environment['ARM_TENANT_ID']}"
        trust = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
        # It is on this machine, whatever proxy there is for the rest of the world.
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        self.opener = urllib.request.build_opener(*handlers)

    def send(self, method, url, headers, body=None):
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers, refusal.read()

    def token(self, person, audience):
        form = {
            "grant_type": "client_credentials",
            "client_id": person.client,
            "client_secret": person.secret,
            "scope": f"{audience}/.default",
        }
        body = urllib.parse.urlencode(form).encode()
        status, _, answer = self.send("POST", f"{self.sign_in}/oauth2/v2.0/token", {}, body)
        if status != 200:
            raise Misbehaved(f"signing in was answered {status}: {answer.decode()}")
        return json.loads(answer)["access_token"]

    def arm(self, person, method, path, body=None, query=""):
        version = next(version for kind, version in self.VERSIONS.items() if kind in path)
        headers = {
            "authorization": f"Bearer {self.token(person, self.url)}",
            "content-type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.url}{urllib.parse.quote(path)}?api-version={version}{query}"
        status, headers, answer = self.send(method, url, headers, data)
        if status == 202:
            return self.wait(person, headers["azure-asyncoperation"])
        if status >= 300:
            raise Misbehaved(f"{method} {path} was answered {status}: {answer.decode()}")
        return json.loads(answer or "null")

    def wait(self, person, operation):
        """Follows a long-running operation to its end."""
        while True:
            headers = {"authorization": f"Bearer {self.token(person, self.url)}"}
            _, headers, answer = self.send("GET", operation, headers)
            status = json.loads(answer)["status"]
            if status == "Succeeded":
                return None
            if status in ("Failed", "Canceled"):
                raise Misbehaved(f"an operation ended with {answer.decode()}")
            time.sleep(int(headers.get("retry-after", "1")))

    def roles(self, person, principal):
        """The names of the roles that somebody holds on the account."""
        path = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments"
        found = [entry["properties"] for entry in self.arm(person, "GET", path, query="&$filter=atScope()")["value"]]
        ids = {entry["roleDefinitionId"] for entry in found if entry["principalId"] == principal}
        return {self.arm(person, "GET", definition)["properties"]["roleName"] for definition in ids}

    def list_by_key(self, person):
        """Lists a container with a shared key: the status, or the code of the refusal."""
        key = self.arm(person, "POST", f"{ACCOUNT}/listKeys")["keys"][0]["value"]
        date = email.utils.formatdate(usegmt=True)
        path = "/storage/contosodata/data"
        signed = (
            "GET" + "\n" * 12 + f"x-ms-date:{date}\nx-ms-version:2023-11-03\n"
            f"/contosodata{path}\ncomp:list\nrestype:container"
        )
        digest = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
        authorization = f"SharedKey contosodata:{base64.b64encode(digest).decode()}"
        return self.list(path, {"authorization": authorization, "x-ms-date": date})

    def list_by_token(self, person):
        """Lists a container as somebody: the status, or the code of the refusal."""
        token = self.token(person, "https://storage.azure.com")
        return self.list("/storage/contosodata/data", {"authorization": f"Bearer {token}"})

    def list(self, path, headers):
        headers = {**headers, "x-ms-version": "2023-11-03"}
        status, headers, _ = self.send("GET", f"{self.url}{path}?restype=container&comp=list", headers)
        return headers["x-ms-error-code"] or str(status)


class Emulator:
    """The emulator of Azure, running while in a `with` block, whose value is the environment that points at it."""

    def __init__(self, binaries, scratch):
        self.command = [binaries / "examples/emulator", "--seed", HERE / "emulator.yaml", "--operation-time", "1s"]
        self.file = scratch / "environment"

    def __enter__(self):
        self.process = subprocess.Popen([*self.command, "--env-file", self.file], stdout=subprocess.PIPE, text=True)
        # "ready" is the last line; an emulator that ends before it closes the pipe.
        if not any(line == "ready\n" for line in iter(self.process.stdout.readline, "")):
            raise Misbehaved(f"the emulator ended with {self.process.wait()} before it was ready")
        words = shlex.split(self.file.read_text())
        return dict(word.split("=", 1) for word in words if word != "export")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def find_engine(wanted):
    """The program: the one asked for, else what PATH has, else Terraform's Python package."""
    names = [wanted] if wanted else ["terraform", "tofu"]
    for name in names:
        if found := shutil.which(name):
            return str(Path(found).absolute())
    name = wanted or "terraform"
    if name not in ("terraform", "tofu") or subprocess.run([ROOT / "tests/engines/setup", name]).returncode != 0:
        raise Misbehaved(f"there is no {name}")
    return str(ROOT / ".engines" / name)


class Engine:
    """An engine in a directory of its own, with the provider in a mirror beside it."""

    # What a few lines are enough to show of an engine's long output.
    TELLING = re.compile(r"^ *# \w|^Plan:|^No changes|complete!|has been successfully initialized|-> (?!null)|^[│ ]*Warning:")

    def __init__(self, program, scratch, provider):
        self.program = program
        self.directory = scratch / "work"
        shutil.copytree(HERE, self.directory, ignore=lambda _, names: [n for n in names if not n.endswith(".tf")])
        (scratch / "cli.tfrc").write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{scratch / "mirror"}"\n  }}\n}}\n'
        )
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        for host in ("registry.terraform.io", "registry.opentofu.org"):
            place = scratch / "mirror" / host / "foundryhub/foundryhub/0.1.0" / f"{sys.platform}_{machine}"
            place.mkdir(parents=True)
            shutil.copy(provider, place / "terraform-provider-foundryhub_v0.1.0")
        # Nothing that this machine's user has set for an engine or for Azure counts here.
        ours = ("TF_", "ARM_", "AZURE_", "FOUNDRYHUB_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment.update(
            TF_CLI_CONFIG_FILE=str(scratch / "cli.tfrc"), TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1"
        )
        version = subprocess.run([program, "version"], env=self.environment, capture_output=True, text=True)
        self.version = version.stdout.split("\n")[0]
        if version.returncode != 0:
            raise Misbehaved(f"{program} does not run: {version.stderr}")

    def run(self, command, *arguments, expect):
        command = [self.program, command, "-input=false", "-no-color", *arguments]
        done = subprocess.run(
            command, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        if done.returncode != expect:
            raise Misbehaved(f"{' '.join(command)} ended with {done.returncode}, not {expect}:\n{done.stdout}")
        for line in done.stdout.splitlines():
            if self.TELLING.search(line):
                tell(line.strip("│ "))
        return done.stdout

    def plan(self, expect):
        said = self.run("plan", "-detailed-exitcode", "-out=planned", expect=expect)
        tell(f"exit code {expect}")
        return said

    def apply(self):
        self.run("apply", "planned", expect=0)


if __name__ == "__main__":
    main()
