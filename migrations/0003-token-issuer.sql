-- The built-in token issuer: who may ask it for tokens, and what it signs them with.

-- Programs that may have tokens. They show a secret, or sign with the key whose public part is known here.
create table issuer_client (
  client_id text collate "C" primary key check (client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
  -- SHA-256 of every secret that works, in hex, the newest first. Secrets are 256 random bits and nobody's choice, so a
  -- slow hash would protect nothing.
  secret_hashes text[] not null,
  public_jwk jsonb,
  -- As tokens say them, e.g. ProvisioningAPI.Read.
  roles text[] not null,
  created_at timestamptz not null,
  constraint issuer_client_credential check ((cardinality(secret_hashes) = 0) = (public_jwk is not null))
);

-- The keys that all processes sign and verify tokens with. One signs; a retired one verifies until its tokens are over.
create table issuer_key (
  kid text primary key,
  private_jwk_sealed bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
-- Of processes that make the first key at once, one wins.
create unique index issuer_key_signing on issuer_key ((retired_at is null)) where retired_at is null;

-- The assertions that clients have shown, for as long as they could be shown again.
create table issuer_assertion (
  client_id text collate "C" not null,
  -- SHA-256 of its jti, in hex.
  jti_hash text not null,
  expires_at timestamptz not null,
  primary key (client_id, jti_hash)
);
create index issuer_assertion_expires_at on issuer_assertion (expires_at);
