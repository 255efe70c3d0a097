-- Amounts in minor units: total_minor in the base currency, display_total_minor in display_currency.
CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  user_id TEXT,
  guest_email TEXT,
  guest_name TEXT,
  customer_name TEXT NOT NULL,
  customer_email TEXT,
  customer_avatar TEXT,
  phone TEXT NOT NULL,
  status TEXT NOT NULL,
  payment_method TEXT NOT NULL,
  shipping_address TEXT,
  payment_transaction_id TEXT UNIQUE,
  payment_failure_reason TEXT,
  guest_token TEXT NOT NULL UNIQUE,
  total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
  base_currency TEXT NOT NULL,
  display_currency TEXT NOT NULL,
  rate_micros BIGINT NOT NULL,
  display_total_minor BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  search_text TEXT NOT NULL
);

CREATE INDEX orders_newest ON orders (created_at, id);

CREATE INDEX orders_user ON orders (user_id, created_at);

CREATE TABLE order_items (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  position BIGINT NOT NULL,
  product_id TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  product_name TEXT NOT NULL,
  variant_attributes TEXT NOT NULL,
  sku TEXT NOT NULL,
  image_url TEXT,
  price BIGINT NOT NULL,
  cost_price BIGINT,
  quantity BIGINT NOT NULL CHECK (quantity > 0)
);

CREATE INDEX order_items_order ON order_items (order_id);

CREATE INDEX order_items_product ON order_items (product_id);

-- Placed or given up, decided once: whoever inserts first. An order that was given up can never be placed, and the other way
-- round, so nobody can give back the stock of an order that is about to be committed.
CREATE TABLE order_outcomes (
  order_id TEXT PRIMARY KEY,
  outcome TEXT NOT NULL,
  decided_at BIGINT NOT NULL
);

-- Copies from auth_events, for the names in lists.
CREATE TABLE user_copies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  profile_image TEXT,
  is_active BOOLEAN NOT NULL,
  version BIGINT NOT NULL
);
