update acts_in_force set acts = '{appropriation,closing}', set_at = '2026-01-31T10:00:00Z', version = 1;
