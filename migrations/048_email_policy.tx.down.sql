-- The name before.
UPDATE cleanup_runs SET
    policies = array_replace(policies, 'old_emails', 'old_mails'),
    policy   = replace(policy, 'old_emails', 'old_mails'),
    counts   = replace(counts::text, '"old_emails"', '"old_mails"')::jsonb,
    errors   = replace(errors::text, '"old_emails"', '"old_mails"')::jsonb,
    samples  = replace(samples::text, '"old_emails"', '"old_mails"')::jsonb
    WHERE 'old_emails' = ANY (policies) OR policy = 'old_emails' OR counts ? 'old_emails' OR errors ? 'old_emails';
UPDATE reports SET data = replace(data::text, '"old_emails"', '"old_mails"')::jsonb
    WHERE data::text LIKE '%"old\_emails"%';
