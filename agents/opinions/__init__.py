"""Second scores of declared answers, beside our own: a user's grader, or a judge."""
