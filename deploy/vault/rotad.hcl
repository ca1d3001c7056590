# The least that rotad needs, for a KV version 2 mount at "secret", staging at "rotad/staging" and consumers below
# "apps/". Put your own names in. What is not listed is denied: rotad lists nothing and deletes no key.

# Staging: what a rotation holds in hand. No consumer may read this.
path "secret/data/rotad/staging/*" {
  capabilities = ["create", "read", "update"]
}

# Old staging versions are destroyed once a rotation is over, by number.
path "secret/destroy/rotad/staging/*" {
  capabilities = ["update"]
}

# What consumers read. "read" is needed to keep the keys of others, and to find out after a lost reply whether the
# write took place.
path "secret/data/apps/*" {
  capabilities = ["create", "read", "update"]
}

# The version that held a retired value is destroyed after the overlap, by number.
path "secret/destroy/apps/*" {
  capabilities = ["update"]
}

# custom_metadata with the prefix rotad_, for people. "patch" keeps the keys of others safe; "create" and "update" are
# used where a key has no metadata yet. Leave the whole block out if you do not want the notes.
path "secret/metadata/apps/*" {
  capabilities = ["create", "read", "update", "patch"]
}

# A destination: a further path that gets a copy. No destroy and no metadata; the keys of others there are kept, hence "read".
# One block for each path, or for each folder.
#
# path "secret/data/team/billing" {
#   capabilities = ["create", "read", "update"]
# }

# The token's own life. The "default" policy has these too; they stand here for roles with token_no_default_policy.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# Is a write going to be possible? Asked before a person types a secret, and by "rotad check --online".
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Is the mount KV version 2? Version 1 would overwrite without comparing versions, so rotad refuses it.
path "sys/internal/ui/mounts/*" {
  capabilities = ["read"]
}
