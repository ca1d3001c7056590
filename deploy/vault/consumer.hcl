# One consumer: it reads its own bundle and nothing else. Write one such policy per consumer.
path "secret/data/apps/billing/oidc" {
  capabilities = ["read"]
}

# rotad_expires_at, rotad_previous_valid_until and the other notes. Optional.
path "secret/metadata/apps/billing/oidc" {
  capabilities = ["read"]
}

# Staging holds values that are not published yet. Nothing above reaches it; this denies it even where another policy
# of the same token is too generous.
path "secret/data/rotad/staging/*" {
  capabilities = ["deny"]
}
path "secret/metadata/rotad/staging/*" {
  capabilities = ["deny"]
}
