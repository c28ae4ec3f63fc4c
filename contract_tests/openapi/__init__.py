"""The contract: its document, its schemas, and what they say of a value. No pytest, no connection."""
