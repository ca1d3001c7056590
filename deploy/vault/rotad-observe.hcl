# What rotad needs as long as every policy says "start: observe": to read. It cannot change anything. For mount "secret",
# staging at "rotad/staging" and consumers below "apps/", as in rotad.hcl, which takes its place when rotad rotates.

# Is anything of an earlier rotad under way?
path "secret/data/rotad/staging/*" {
  capabilities = ["read"]
}

# What consumers read: rotad asks the provider whether it still works.
path "secret/data/apps/*" {
  capabilities = ["read"]
}
path "secret/metadata/apps/*" {
  capabilities = ["read"]
}

# The token's own life.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# "rotad check --online" says which rights are missing. Asking for them changes nothing.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Is the mount KV version 2?
path "sys/internal/ui/mounts/*" {
  capabilities = ["read"]
}
