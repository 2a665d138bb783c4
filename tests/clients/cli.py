"""azure-cli, in a configuration folder of its own. Takes the az program."""

import json
import os
import subprocess
import sys
import tempfile
import uuid

from report import ACCOUNT, BLOB_CONTRIBUTOR, CLIENT_ID, GROUP, GROUP_ID, SECRET, SUBSCRIPTION, TENANT, URL, WORKSPACES, Report, expect

AZ = sys.argv[1]


def az(*words):
    done = subprocess.run([AZ, *words, "--only-show-errors", "-o", "json"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(f"az {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def main():
    version = json.loads(subprocess.run([AZ, "version", "-o", "json"], capture_output=True, text=True, check=True).stdout)["azure-cli"]
    report = Report(f"azure-cli {version}")
    run = lambda command, check=lambda answer: None: report.run(command[0], lambda: check(az(*command[1:])))  # noqa: E731

    endpoints = ["--endpoint-resource-manager", URL + "/", "--endpoint-active-directory", URL, "--endpoint-active-directory-resource-id", URL + "/", "--endpoint-active-directory-graph-resource-id", URL + "/", "--suffix-storage-endpoint", "core.emulated.test"]
    run(["cloud register", "cloud", "register", "-n", "Emulated", *endpoints])
    run(["cloud set", "cloud", "set", "-n", "Emulated"])
    run(["login --service-principal", "login", "--service-principal", "-u", CLIENT_ID, "-p", SECRET, "--tenant", TENANT], lambda a: expect(a[0]["id"], SUBSCRIPTION))

    run(["storage account show", "storage", "account", "show", "-g", GROUP, "-n", "sa1"], lambda a: expect(a["name"], "sa1"))
    run(["storage account list", "storage", "account", "list"], lambda a: expect([x["name"] for x in a], ["sa1"]))
    run(["storage account update keys off", "storage", "account", "update", "-g", GROUP, "-n", "sa1", "--allow-shared-key-access", "false"], lambda a: expect(a["allowSharedKeyAccess"], False))
    run(["storage account keys list", "storage", "account", "keys", "list", "-g", GROUP, "-n", "sa1"], lambda a: expect(len(a), 2))
    run(["storage account keys renew", "storage", "account", "keys", "renew", "-g", GROUP, "-n", "sa1", "--key", "key1"], lambda a: expect(len(a), 2))
    run(["storage account update keys on", "storage", "account", "update", "-g", GROUP, "-n", "sa1", "--allow-shared-key-access", "true"], lambda a: expect(a["allowSharedKeyAccess"], True))

    principal = str(uuid.uuid4())
    who = ["--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal"]
    create = ["role", "assignment", "create", *who, "--scope", ACCOUNT, "--role"]
    run(["role assignment create by name", *create, "Storage Blob Data Contributor"], lambda a: expect(a["principalId"], principal))
    run(["role assignment create by GUID, which exists", *create, BLOB_CONTRIBUTOR], lambda a: expect(a["principalId"], principal))
    made = report.run("role assignment list", lambda: [x for x in az("role", "assignment", "list", "--scope", ACCOUNT, "--fill-principal-name", "false") if x["principalId"] == principal])
    run(["role assignment list of a principal", "role", "assignment", "list", "--scope", ACCOUNT, "--assignee-object-id", principal, "--fill-principal-name", "false"], lambda a: expect(len(a), 1))
    run(["role assignment delete --ids", "role", "assignment", "delete", "--ids", made[0]["id"] if made else "none"])
    run(["role definition list", "role", "definition", "list", "--name", "Storage Blob Data Reader"], lambda a: expect(len(a), 1))

    hub = f"{WORKSPACES}/cli-ws1"
    run(["resource show", "resource", "show", "--ids", hub], lambda a: expect(a["name"], "cli-ws1"))
    run(["resource list", "resource", "list", "-g", GROUP], lambda a: expect("cli-ws1" in [x["name"] for x in a], True))
    run(["resource update", "resource", "update", "--ids", hub, "--set", "properties.systemDatastoresAuthMode=identity"], lambda a: expect(a["properties"]["systemDatastoresAuthMode"], "identity"))
    run(["resource delete", "resource", "delete", "--ids", hub])
    url = f"{URL}{WORKSPACES}/test-ws1?api-version=2024-04-01"
    run(["rest get", "rest", "--method", "get", "--url", url, "--resource", URL], lambda a: expect(a["name"], "test-ws1"))
    run(["rest patch", "rest", "--method", "patch", "--url", url, "--resource", URL, "--body", '{"properties":{"systemDatastoresAuthMode":"accesskey"}}'])

    run(["lock create", "lock", "create", "-n", "l1", "-t", "CanNotDelete", "-g", GROUP], lambda a: expect(a["level"], "CanNotDelete"))
    run(["lock list", "lock", "list", "-g", GROUP], lambda a: expect([x["name"] for x in a], ["l1"]))
    run(["lock delete", "lock", "delete", "-n", "l1", "-g", GROUP])
    run(["group show", "group", "show", "-n", GROUP], lambda a: expect(a["id"], GROUP_ID))
    run(["group list", "group", "list"], lambda a: expect([x["name"] for x in a], [GROUP]))
    run(["group exists", "group", "exists", "-n", GROUP], lambda a: expect(a, True))
    run(["group create", "group", "create", "-n", "made", "-l", "eastus"], lambda a: expect(a["name"], "made"))
    run(["group delete", "group", "delete", "-n", "made", "--yes"])
    run(["provider show", "provider", "show", "-n", "Microsoft.MachineLearningServices"], lambda a: expect(a["registrationState"], "Registered"))
    run(["provider register", "provider", "register", "-n", "Microsoft.Storage"])
    report.end()


with tempfile.TemporaryDirectory() as folder:
    os.environ["AZURE_CONFIG_DIR"] = folder
    os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "false"
    main()
