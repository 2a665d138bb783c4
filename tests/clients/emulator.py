"""What the emulator is asked beside the client: its log, its faults, and the truth by plain REST."""

import json
import os
import ssl
import urllib.parse
import urllib.request

URL = os.environ["ARM_RESOURCE_MANAGER_ENDPOINT"]
SUBSCRIPTION = os.environ["ARM_SUBSCRIPTION_ID"]
TENANT = os.environ["ARM_TENANT_ID"]
CLIENT_ID = os.environ["ARM_CLIENT_ID"]
SECRET = os.environ["ARM_CLIENT_SECRET"]

# What seed.yaml holds.
GROUP = "rg1"
GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
ACCOUNTS = f"{GROUP_ID}/providers/Microsoft.Storage/storageAccounts"
ACCOUNT = f"{ACCOUNTS}/sa1"
WORKSPACES = f"{GROUP_ID}/providers/Microsoft.MachineLearningServices/workspaces"
APPLICATION = "aaaaaaaa-0000-4000-8000-000000000001"
MEMBER, TEAM = "aaaaaaaa-0000-4000-8000-000000000002", "aaaaaaaa-0000-4000-8000-000000000003"

BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"

CONTEXT = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])


def call(method, path, body=None, token=None):
    """One request; the JSON of its answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    request = urllib.request.Request(URL + path, method=method, headers=headers, data=body and body.encode())
    with urllib.request.urlopen(request, context=CONTEXT) as answer:
        return json.loads(answer.read() or b"null")


def arm(method, path, body=None):
    """One request to ARM by plain REST, as the owner of everything. The log shows who asked by the user agent."""
    form = {"client_id": CLIENT_ID, "client_secret": SECRET, "grant_type": "client_credentials"}
    form = urllib.parse.urlencode({**form, "scope": f"{URL}/.default"})
    token = call("POST", f"/{TENANT}/oauth2/v2.0/token", form)["access_token"]
    return call(method, path, body and json.dumps(body), token)


def mode(hub):
    """A hub's systemDatastoresAuthMode, which azure-ai-ml drops when it reads a hub."""
    return arm("GET", f"{WORKSPACES}/{hub}?api-version=2024-04-01")["properties"]["systemDatastoresAuthMode"]


def requests():
    """What the client has asked of ARM so far."""
    return [it for it in call("GET", "/_emulator/requests?arm") if not it["user_agent"].startswith("Python-urllib")]


def during(work):
    """What the work answers, and the requests that it made."""
    before = len(requests())
    answer = work()
    return answer, requests()[before:]


def paged(work):
    """The items of a list, which fails unless the client followed a nextLink."""
    items, asked = during(lambda: list(work()))
    if not any(name.lower().startswith("$skip") for it in asked for name, _ in it["query"]):
        raise AssertionError("no nextLink was followed")
    return items


def throttled(requests, work):
    """Answers the first of these requests with 429, which the client has to repeat after a second."""
    call("POST", "/_emulator/faults", f"{requests} -> 429 TooManyRequests retry-after=1 times=1")
    answer, asked = during(work)
    if 429 not in [it["status"] for it in asked]:
        raise AssertionError("no request was answered with 429")
    return answer


def versions():
    """The api-versions that the client sent to each type of resource, except in the URLs that it was given to poll."""
    sent = {}
    for it in requests():
        kind = type_of(it["path"].strip("/").split("/"))
        version = next((value for name, value in it["query"] if name.lower() == "api-version"), "none")
        if kind:
            sent.setdefault(kind, set()).add(version)
    return sent


def type_of(segments):
    """The type that a path is about, in short; None for the URLs of operations."""
    lower = [segment.lower() for segment in segments]
    if "providers" in lower:
        below = segments[len(lower) - lower[::-1].index("providers") + 1 :]
        if not below or below[0] in ("register", "unregister"):
            return "providers"
        return None if below[0] == "locations" else below[0]
    names = ["operationresults", "resources", "resourcegroups", "subscriptions", "tenants"]
    kind = next(name for name in names if name in lower)
    return None if kind == "operationresults" else kind


def credential():
    """How clients sign in."""
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(TENANT, CLIENT_ID, SECRET, authority=URL, disable_instance_discovery=True)


# How the management clients are pointed at the emulator.
ARGUMENTS = {"base_url": URL, "credential_scopes": [f"{URL}/.default"]}
