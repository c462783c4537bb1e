-- Lines of the queue
-- Every line about a queue file, and content filters' verdicts, which stand beside the queue.
SELECT * FROM queue_events
