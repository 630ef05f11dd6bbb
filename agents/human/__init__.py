"""A person as a policy: shown what a policy gets, in the browser or the terminal; no torch."""
