-- Notes before any were carried
-- The columns of carried notes, without a row.
SELECT NULL::VARCHAR AS source_id, NULL::BIGINT AS line_no, NULL::INTEGER AS repeat_no, NULL::VARCHAR AS tls_version, NULL::VARCHAR AS tls_cipher,
       NULL::VARCHAR AS helo, NULL::VARCHAR AS protocol, NULL::BOOLEAN AS is_over, NULL::BOOLEAN AS is_discarded, NULL::BOOLEAN AS is_held,
       NULL::VARCHAR[] AS recipients, NULL::VARCHAR AS sender
WHERE FALSE
