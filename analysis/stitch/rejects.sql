-- Decisions of rules
-- Every line of an access rule, policy service, milter or content check.
SELECT * FROM reject_events
