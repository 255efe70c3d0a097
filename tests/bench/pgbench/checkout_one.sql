-- The same as checkout.sql in one statement and one round trip: what a store can do when nobody else has a say.
\set a random_zipfian(1, 39999, 1.01)
\set b :a + 1
\set r random(1, 9000000000000000000)
WITH taken AS (UPDATE variants SET stock = stock - 1 WHERE id IN (:a, :b) AND stock >= 1 RETURNING id, price),
placed AS (INSERT INTO orders (id, email, phone, address, status, total)
           VALUES (:r, 'bench@example.org', '555-0100', '{"address": "1 Main Street"}', 'PENDING', 2000)),
listed AS (INSERT INTO items (order_id, variant, name, price, quantity) SELECT :r, id, 'Thing', price, 1 FROM taken),
moved AS (INSERT INTO movements (variant, change, order_id) SELECT id, -1, :r FROM taken)
INSERT INTO outbox (topic, key, body) VALUES ('order_events', 'order', repeat('x', 900));
