-- Whether a copy of a product is still what the store holds is asked by its marks (catalogue.hpp).
CREATE INDEX changed_products_product ON changed_products (product_id);
