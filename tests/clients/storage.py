"""azure-mgmt-storage. The emulator's subscription is not registered with Microsoft.Storage."""

from importlib.metadata import version

from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage.models import Sku, StorageAccountCreateParameters, StorageAccountUpdateParameters

from emulator import ARGUMENTS, GROUP, SUBSCRIPTION, credential, during, paged, throttled
from report import Report, expect

ALL = ["sa1", "sa2", "sa3"]


def main():
    report = Report("azure-mgmt-storage", version("azure-mgmt-storage"))
    accounts = StorageManagementClient(credential(), SUBSCRIPTION, **ARGUMENTS).storage_accounts

    def get(name="sa1"):
        return accounts.get_properties(GROUP, name).name

    def register():
        _, asked = during(get)
        return [it["status"] for it in asked if it["path"].endswith("/sa1")]

    def update(value):
        body = StorageAccountUpdateParameters(allow_shared_key_access=value)
        return accounts.update(GROUP, "sa1", body).allow_shared_key_access

    def list_keys():
        answer, asked = during(lambda: accounts.list_keys(GROUP, "sa1"))
        expect([dict(it["query"]).get("$expand") for it in asked], ["kerb"])
        return {key["keyName"]: key["value"] for key in answer.as_dict()["keys"]}

    def regenerate():
        before = list_keys()
        accounts.regenerate_key(GROUP, "sa1", {"keyName": "key1"})
        after = list_keys()
        return {name: before[name] != after[name] for name in before}

    def create():
        sku = Sku(name="Standard_LRS")
        body = StorageAccountCreateParameters(
            sku=sku, kind="StorageV2", location="eastus", allow_shared_key_access=False
        )
        return accounts.begin_create(GROUP, "madehere", body).result().allow_shared_key_access

    def names(work):
        return [it.name for it in paged(work)]

    report.run("get_properties, which registers the resource provider", register, [409, 200])
    report.run("get_properties", get, "sa1")
    report.run("get_properties after a 429", lambda: throttled("GET */sa1", get), "sa1")
    report.refused("get_properties of what is not there", 404, "ResourceNotFound", lambda: get("absent"))
    report.run("list over pages", lambda: names(accounts.list), ALL)
    report.run("list_by_resource_group over pages", lambda: names(lambda: accounts.list_by_resource_group(GROUP)), ALL)
    report.run("update allow_shared_key_access=False", lambda: update(False), False)
    report.run("list_keys with $expand=kerb", lambda: list(list_keys()), ["key1", "key2"])
    report.run("regenerate_key", regenerate, {"key1": True, "key2": False})
    report.run("update allow_shared_key_access=True", lambda: update(True), True)
    report.run("begin_create", create, False)
    report.run("delete", lambda: accounts.delete(GROUP, "madehere"))
    report.run("delete, once more", lambda: accounts.delete(GROUP, "madehere"))
    report.end(storageAccounts="2026-09-01")


main()
