-- What a checkout touches, as plain tables: the floor that our own checkout is held against.
CREATE TABLE variants (id bigint PRIMARY KEY, price bigint NOT NULL, stock bigint NOT NULL CHECK (stock >= 0));
CREATE TABLE movements (id bigserial PRIMARY KEY, variant bigint NOT NULL, change bigint NOT NULL, order_id bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON movements (order_id, variant);
CREATE TABLE orders (id bigint PRIMARY KEY, email text NOT NULL, phone text NOT NULL, address text NOT NULL, status text NOT NULL, total bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE items (id bigserial PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, variant bigint NOT NULL, name text NOT NULL, price bigint NOT NULL, quantity bigint NOT NULL);
CREATE INDEX ON items (order_id);
CREATE TABLE outbox (seq bigserial PRIMARY KEY, topic text NOT NULL, key text NOT NULL, body text NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO variants SELECT n, 1000 + n, 1000000000 FROM generate_series(1, 40000) n;
