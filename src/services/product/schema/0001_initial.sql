CREATE TABLE categories (
  id TEXT PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  parent_id TEXT REFERENCES categories (id),
  image_url TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX categories_parent ON categories (parent_id);

-- name_en, name_fr, name_ar: what a list sorted by name compares. search_text: all texts, folded, for the filter q.
CREATE TABLE products (
  id TEXT PRIMARY KEY,
  sku TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  is_active BOOLEAN NOT NULL,
  rating_hundredths BIGINT NOT NULL,
  review_count BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  name_en TEXT NOT NULL,
  name_fr TEXT NOT NULL,
  name_ar TEXT NOT NULL,
  search_text TEXT NOT NULL
);

CREATE INDEX products_newest ON products (created_at, id);

CREATE TABLE product_categories (
  product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  category_id TEXT NOT NULL REFERENCES categories (id),
  PRIMARY KEY (product_id, category_id)
);

CREATE INDEX product_categories_category ON product_categories (category_id);

CREATE TABLE product_images (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  image_url TEXT NOT NULL,
  alt_text TEXT,
  is_primary BOOLEAN NOT NULL,
  position BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX product_images_product ON product_images (product_id);

-- Prices in minor units of the base currency.
CREATE TABLE variants (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  attributes TEXT NOT NULL,
  price BIGINT NOT NULL CHECK (price >= 0),
  cost_price BIGINT CHECK (cost_price >= 0),
  stock_quantity BIGINT NOT NULL CHECK (stock_quantity >= 0),
  low_stock_threshold BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX variants_product ON variants (product_id, price);

CREATE TABLE variant_attributes (
  variant_id TEXT NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (variant_id, name)
);

-- The ledger: the movements of a variant sum to its stock. No foreign key: history outlives variants.
CREATE TABLE stock_movements (
  id TEXT PRIMARY KEY,
  variant_id TEXT NOT NULL,
  change_quantity BIGINT NOT NULL,
  type TEXT NOT NULL,
  moved_at BIGINT NOT NULL,
  reason TEXT,
  related_order_id TEXT
);

CREATE INDEX stock_movements_variant ON stock_movements (variant_id, moved_at);

-- What an order takes or gives back, it does once per variant and kind, however often it is told.
CREATE UNIQUE INDEX stock_movements_order ON stock_movements (related_order_id, variant_id, type)
  WHERE type IN ('ORDER', 'ORDER_CANCELLED', 'RETURN_RESTOCK');

-- HELD until the order is known to exist (CONFIRMED) or never will (RELEASED). A row that says RELEASED without lines is the
-- gravestone of an order whose reservation may still arrive.
CREATE TABLE reservations (
  order_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX reservations_held ON reservations (expires_at) WHERE status = 'HELD';

CREATE TABLE reservation_lines (
  order_id TEXT NOT NULL REFERENCES reservations (order_id),
  variant_id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0),
  price BIGINT NOT NULL,
  cost_price BIGINT,
  PRIMARY KEY (order_id, variant_id)
);

CREATE TABLE currency_rates (
  code TEXT PRIMARY KEY,
  rate_micros BIGINT NOT NULL CHECK (rate_micros > 0),
  is_base BOOLEAN NOT NULL,
  last_updated BIGINT NOT NULL
);

CREATE TABLE promotions (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  subtitle TEXT,
  tagline TEXT,
  cta_text TEXT NOT NULL,
  cta_link TEXT NOT NULL,
  image_url TEXT NOT NULL,
  product_image_url TEXT,
  expires_at BIGINT,
  is_active BOOLEAN NOT NULL,
  display_order BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Products whose present state has not been published yet. The publisher turns them into events: many changes of one
-- product become one event, which always carries the latest state.
CREATE TABLE changed_products (
  seq @SERIAL@,
  product_id TEXT NOT NULL,
  traceparent TEXT NOT NULL
);

-- The last published version of each product, deleted ones included.
CREATE TABLE published_products (
  product_id TEXT PRIMARY KEY,
  version BIGINT NOT NULL
);
