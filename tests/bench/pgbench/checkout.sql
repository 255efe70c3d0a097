-- Two lines of different variants, rows in the order of ids; a round trip a statement.
\set a random_zipfian(1, 39999, 1.01)
\set b :a + 1
\set r random(1, 9000000000000000000)
BEGIN;
UPDATE variants SET stock = stock - 1 WHERE id IN (:a, :b) AND stock >= 1 RETURNING id, price;
INSERT INTO orders (id, email, phone, address, status, total) VALUES (:r, 'bench@example.org', '555-0100', '{"address": "1 Main Street"}', 'PENDING', 2000);
INSERT INTO items (order_id, variant, name, price, quantity) VALUES (:r, :a, 'Thing', 1000, 1), (:r, :b, 'Thing', 1000, 1);
INSERT INTO movements (variant, change, order_id) VALUES (:a, -1, :r), (:b, -1, :r);
INSERT INTO outbox (topic, key, body) VALUES ('order_events', 'order', repeat('x', 900));
COMMIT;
