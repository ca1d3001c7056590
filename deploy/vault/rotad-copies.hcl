# What rotad needs in a further Vault (vaults: in its configuration), which gets copies for consumers that read there. For a KV
# version 2 mount at "secret". Nothing is deleted, destroyed or listed.

# Each path, or each folder, that gets copies. "read" is needed to keep the keys of others, and to find out whether somebody has
# changed the copy.
path "secret/data/team/billing" {
  capabilities = ["create", "read", "update"]
}

# The token's own life.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# "rotad check --online" says which rights are missing.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Is the mount KV version 2?
path "sys/internal/ui/mounts/*" {
  capabilities = ["read"]
}
