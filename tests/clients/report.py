"""One line per command of a client, and an exit status that says whether all went well."""

import os
import sys
import traceback


class Report:
    def __init__(self, client):
        self.client = client
        self.failures = 0

    def run(self, command, work):
        """Runs one command; what it answers may be used by the next one."""
        try:
            answer = work()
        except BaseException as error:  # Some clients raise SystemExit.
            self.failures += 1
            print(f"{self.client:34} {command:52} FAIL", flush=True)
            traceback.print_exception(error, limit=-4, file=sys.stdout)
            return None
        print(f"{self.client:34} {command:52} pass", flush=True)
        return answer

    def end(self):
        sys.exit(1 if self.failures else 0)


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


URL = os.environ["ARM_RESOURCE_MANAGER_ENDPOINT"]
SUBSCRIPTION = os.environ["ARM_SUBSCRIPTION_ID"]
TENANT = os.environ["ARM_TENANT_ID"]
CLIENT_ID = os.environ["ARM_CLIENT_ID"]
SECRET = os.environ["ARM_CLIENT_SECRET"]
GROUP = "rg1"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
ACCOUNT = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts/sa1"
WORKSPACES = f"{GROUP_ID}/providers/Microsoft.MachineLearningServices/workspaces"
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


def credential():
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(TENANT, CLIENT_ID, SECRET, authority=URL, disable_instance_discovery=True)
