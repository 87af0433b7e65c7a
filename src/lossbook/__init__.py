"""Loss functions that read like their formula, each with its gradient."""
