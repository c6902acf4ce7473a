"""The reference endpoint: a server and a model without a flaw."""
