# In place of the resource: it leaves the state, and Azure stays as it is.
removed {
  from = foundryhub_storage_auth.hub

  lifecycle {
    destroy = false
  }
}
