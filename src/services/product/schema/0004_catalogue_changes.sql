-- How often what a list of products shows, but for stock, has changed: the sum of all slots. A change counts up one slot in its own
-- transaction, as the last row it takes; several slots, so that changes do not wait for each other.
CREATE TABLE catalogue_changes (
  slot BIGINT PRIMARY KEY,
  changes BIGINT NOT NULL
);

INSERT INTO catalogue_changes (slot, changes)
VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0);
