"""azure-ai-ml: get, list, update both ways, delete. Takes the name of the hub to delete."""

import json
import sys
import urllib.request
from importlib.metadata import version

from report import GROUP, SUBSCRIPTION, URL, WORKSPACES, Report, credential, expect


def mode(credential):
    """The mode by plain REST: the SDK drops it when it reads a hub."""
    import ssl
    import os

    token = credential.get_token(f"{URL}/.default").token
    request = urllib.request.Request(f"{URL}{WORKSPACES}/test-ws1?api-version=2024-04-01", headers={"Authorization": f"Bearer {token}"})
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    return json.load(urllib.request.urlopen(request, context=context))["properties"]["systemDatastoresAuthMode"]


def main(doomed):
    report = Report(f"azure-ai-ml {version('azure-ai-ml')}")
    sign_in = credential()

    def connect():
        from azure.ai.ml import MLClient

        return MLClient(sign_in, SUBSCRIPTION, GROUP)

    client = report.run("MLClient", connect)
    if client is None:
        report.end()
    report.run("workspaces.get", lambda: expect(client.workspaces.get(name="test-ws1").name, "test-ws1"))
    report.run("workspaces.list", lambda: expect("test-ws1" in [w.name for w in client.workspaces.list()], True))

    def update(value):
        workspace = client.workspaces.get(name="test-ws1")
        workspace.system_datastores_auth_mode = value
        expect(client.workspaces.begin_update(workspace=workspace).result().system_datastores_auth_mode, value)
        expect(mode(sign_in), value)

    report.run("workspaces.begin_update to identity", lambda: update("identity"))
    report.run("workspaces.begin_update to accesskey", lambda: update("accesskey"))
    report.run("workspaces.begin_delete", lambda: client.workspaces.begin_delete(doomed, delete_dependent_resources=False).result())
    report.end()


main(sys.argv[1])
