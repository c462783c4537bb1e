-- Attempts
-- One row an attempt to deliver to one recipient, with the life of the queue id it belongs to. `attempts`: a carried
-- one may stand for later ones too, whose rows are written already; one that Exim put off, for it was too early, is none.
SELECT * RENAME (logged_at AS attempted_at) FROM with_message('delivery') WHERE kind IN ('delivery', 'postponed')
