//! A hub whose account has users of its keys.

/// Two projects, three datastores, a connection, a compute and a container with state of Terraform, for the hub and account of a
/// bed. Every stored credential is [`PLANTED`].
pub(crate) const KEY_USERS: &str = "workspaces:
  - { name: sales, kind: Project, properties: { hubResourceId: hub1 } }
  - { name: support, kind: Project, properties: { hubResourceId: hub1 } }
datastores:
  - parent: hub1
    name: shared
    properties:
      datastoreType: AzureBlob
      accountName: SA1
      containerName: shared
      credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } }
  - parent: sales
    name: orders
    properties:
      datastoreType: AzureDataLakeGen2
      accountName: sa1
      filesystem: orders
      credentials: { credentialsType: Sas, secrets: { secretsType: Sas, sasToken: planted } }
  - parent: support
    name: tickets
    properties:
      datastoreType: AzureFile
      accountName: sa1
      fileShareName: tickets
      credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } }
connections:
  - parent: support
    name: archive
    properties:
      authType: AccountKey
      category: AzureBlob
      target: 'https://sa1.blob.core.windows.net/archive'
      credentials: { key: planted }
computes:
  - { parent: hub1, name: ci1, properties: { computeType: ComputeInstance } }
containers:
  - { parent: sa1, name: tfstate }
  - { parent: sa1, name: data }
";

pub(crate) const PLANTED: &str = "planted";

pub(crate) const DATASTORES_WITH_KEY: &str = "Datastores hold a key of the account";
pub(crate) const DATASTORES_WITH_SAS: &str = "Datastores hold a shared access signature";
pub(crate) const CONNECTIONS_WITH_KEY: &str = "Connections hold a key of the account";
pub(crate) const COMPUTES: &str = "Computes have files mounted with the key";
pub(crate) const TERRAFORM_STATE: &str = "The account may have state of Terraform";
