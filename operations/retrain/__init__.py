"""From corrections to a proposal: another model, trained and compared, for a person to decide about."""
