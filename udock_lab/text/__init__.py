"""Words: what callers may give, the nearest match, amounts as a person reads them, text that no terminal trips over."""
