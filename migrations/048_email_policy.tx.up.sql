-- The clean-up policy old_mails is now called old_emails, as everything else about emails.
UPDATE cleanup_runs SET
    policies = array_replace(policies, 'old_mails', 'old_emails'),
    policy   = replace(policy, 'old_mails', 'old_emails'),
    counts   = replace(counts::text, '"old_mails"', '"old_emails"')::jsonb,
    errors   = replace(errors::text, '"old_mails"', '"old_emails"')::jsonb,
    samples  = replace(samples::text, '"old_mails"', '"old_emails"')::jsonb
    WHERE 'old_mails' = ANY (policies) OR policy = 'old_mails' OR counts ? 'old_mails' OR errors ? 'old_mails';
UPDATE reports SET data = replace(data::text, '"old_mails"', '"old_emails"')::jsonb
    WHERE data::text LIKE '%"old\_mails"%';
