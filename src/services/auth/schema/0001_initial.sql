CREATE TABLE permissions (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE roles (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE role_permissions (
  role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  permission_id TEXT NOT NULL REFERENCES permissions (id),
  PRIMARY KEY (role_id, permission_id)
);

-- email_key: the address without regard to case. password_hash is null while an invitation is pending.
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL UNIQUE,
  password_hash TEXT,
  role_id TEXT NOT NULL REFERENCES roles (id),
  profile_image TEXT,
  is_active BOOLEAN NOT NULL,
  invitation_hash TEXT UNIQUE,
  invitation_expires_at BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX users_role ON users (role_id, created_at);

CREATE INDEX users_created ON users (created_at, id);

-- Keys that sign tokens. The newest signs; the others are published for as long as a token of theirs can live.
CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  pem TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
