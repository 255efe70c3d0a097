-- What visitors see, newest first: a list that no copy holds counts and pages in this index alone, whatever a product's texts weigh.
CREATE INDEX products_active ON products (created_at, id) WHERE is_active;
