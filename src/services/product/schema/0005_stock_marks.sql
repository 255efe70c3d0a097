-- Marks of stock alone: what else a copy shows still holds (catalogue.hpp).
ALTER TABLE changed_products ADD COLUMN stock_only BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX changed_products_details ON changed_products (product_id) WHERE NOT stock_only;
-- How often a product was published since more than its stock had changed.
ALTER TABLE published_products ADD COLUMN details BIGINT NOT NULL DEFAULT 0;
