-- Every buyer takes one unit of the same variant, one by one.
\set r random(1, 9000000000000000000)
BEGIN;
UPDATE variants SET stock = stock - 1 WHERE id = 1 AND stock >= 1 RETURNING id, price;
INSERT INTO orders (id, email, phone, address, status, total) VALUES (:r, 'bench@example.org', '555-0100', '{"address": "1 Main Street"}', 'PENDING', 2000);
INSERT INTO items (order_id, variant, name, price, quantity) VALUES (:r, 1, 'Thing', 1000, 1);
INSERT INTO movements (variant, change, order_id) VALUES (1, -1, :r);
INSERT INTO outbox (topic, key, body) VALUES ('order_events', 'order', repeat('x', 900));
COMMIT;
